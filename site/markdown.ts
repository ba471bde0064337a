// Markdown to HTML: the documents as pages, with their links, their blocks of code, and what the search finds in them.
import highlighter from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import python from 'highlight.js/lib/languages/python';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import { Marked, type Token, type Tokens } from 'marked';
import { anchorNames, type Block, blocksOf, liveKindOf } from './blocks.js';

const languages = { bash, javascript, json, python, typescript, xml };
for (const [name, language] of Object.entries(languages)) highlighter.registerLanguage(name, language);

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Code with its words in colours; as it is where nobody knows the language. */
export function highlighted(code: string, language: string): string {
  return highlighter.getLanguage(language) ? highlighter.highlight(code, { language }).value : escaped(code);
}

export interface Heading {
  readonly depth: number;
  readonly id: string;
  readonly text: string;
}

/** What the search finds: what stands under one heading. */
export interface Section extends Heading {
  readonly content: string;
}

/** A part of a page: what stands under one of its largest headings, or before them. */
export interface Part {
  readonly heading: Heading | undefined;
  readonly html: string;
  readonly blocks: readonly Block[];
}

export interface Rendered {
  readonly title: string;
  readonly parts: readonly Part[];
  readonly headings: readonly Heading[];
  readonly sections: readonly Section[];
}

export interface Links {
  /** Where a link leads from the page that is made. */
  readonly link: (href: string) => string;
  /** The width and height of a picture. */
  readonly sizeOf: (href: string) => readonly [number, number] | undefined;
  /** Where the reference tells of a name, if it does. */
  readonly reference: (name: string) => string | undefined;
}

/** A page of Markdown, in parts. Its first heading is the title, which is in no part, and what stands above it is left out: the way back. */
export function render(text: string, links: Links): Rendered {
  const marked = markedWith(links);
  const nameOf = anchorNames();
  const blocks = blocksOf(text);
  const parts: { heading: Heading | undefined; html: string; blocks: Block[] }[] = [];
  const headings: Heading[] = [];
  const sections: (Heading & { content: string })[] = [];
  let title = '';
  let next = 0;
  let caption = '';
  for (const token of marked.lexer(text)) {
    if (token.type === 'heading') {
      const { depth, text: raw, tokens } = token as Tokens.Heading;
      const heading = { depth, id: nameOf(raw), text: plain(tokens) };
      sections.push({ ...heading, content: '' });
      if (depth === 1) {
        title = heading.text;
        parts.length = 0;
        parts.push({ heading: undefined, html: '', blocks: [] });
        continue;
      }
      headings.push(heading);
      if (depth === 2) parts.push({ heading, html: '', blocks: [] });
      parts.at(-1)!.html += `<h${depth} id="${heading.id}">${marked
        .parser([{ type: 'paragraph', raw, text: raw, tokens }])
        .replace(/<\/?p>/g, '')
        .trim()}</h${depth}>\n`;
      continue;
    }
    const part = parts.at(-1);
    if (!part) continue;
    const section = sections.at(-1);
    if (token.type === 'code') {
      const { text: code, lang = '' } = token as Tokens.Code;
      const block = blocks[next];
      if (block?.code === `${code}\n` && block.language === lang) {
        next++;
        part.blocks.push(block);
        part.html += figureOf(block, caption);
      }
      // else it is what the block before prints, which its figure shows
      caption = '';
      if (section) section.content += ` ${code}`;
      continue;
    }
    if (token.type === 'paragraph' && /^\*In .+:\*$/.test(token.raw.trim())) {
      caption = marked
        .parser([token])
        .replace(/<\/?(p|em)>/g, '')
        .replace(/:\s*$/, '')
        .trim();
      continue;
    }
    if (section) section.content += ` ${plain([token])}`;
    part.html += marked.parser([token]);
  }
  return { title, parts, headings, sections };
}

/** A text of a doc comment, without headings. */
export const renderComment = (text: string, links: Links): string => markedWith(links).parse(text) as string;

const grammarOf: Record<string, string> = {
  js: 'javascript',
  ts: 'typescript',
  sh: 'bash',
  html: 'xml',
  mjs: 'javascript',
};

/** A block of code under the place where it runs. What runs in a page is marked for the script of the site, which gives it its controls. */
function figureOf(block: Block, caption: string): string {
  const { code, language, shown, place } = block;
  const kind = liveKindOf(block);
  const here = kind && place === 'In Node' ? ', and here' : '';
  const lines = [
    `<figure class="code"${kind ? ` data-live="${kind}"` : ''}>`,
    caption ? `<figcaption>${caption}${here}</figcaption>` : '',
    `<pre><code>${highlighted(code, grammarOf[language] ?? language)}</code></pre>`,
  ];
  if (shown !== undefined) {
    const says = kind === 'page' ? 'It shows' : 'It prints';
    lines.push(`<div class="expected"><p>${says}</p><pre><samp>${escaped(shown)}</samp></pre></div>`);
  }
  return `${[...lines, '</figure>'].join('\n')}\n`;
}

/** The page of a source file. */
export const renderSource = (code: string, ending: string): string =>
  `<figure class="code"><pre><code>${highlighted(code, grammarOf[ending] ?? ending)}</code></pre></figure>`;

function markedWith({ link, sizeOf, reference }: Links): Marked {
  /** A name of the reference is a link where a page names it first. */
  const named = new Set<string>();
  let linked = 0; // links that are open: there is no link in a link
  return new Marked({
    gfm: true,
    renderer: {
      link({ href, tokens }) {
        linked++;
        const text = this.parser.parseInline(tokens);
        linked--;
        const outside = /^https?:/.test(href) ? ' rel="noopener"' : '';
        return `<a href="${escaped(link(href))}"${outside}>${text}</a>`;
      },
      image({ href, text }) {
        const [width, height] = sizeOf(href) ?? [];
        const size = width ? ` width="${width}" height="${height}"` : '';
        return `<img src="${escaped(link(href))}" alt="${escaped(text)}"${size} loading="lazy">`;
      },
      codespan({ text }) {
        const code = `<code>${escaped(text)}</code>`;
        const place = linked || named.has(text) ? undefined : reference(text);
        if (!place) return code;
        named.add(text);
        return `<a class="name" href="${escaped(place)}">${code}</a>`;
      },
      html({ text }) {
        // marks of the tables that a program prints; a document has no other HTML
        if (text.trimStart().startsWith('<!--')) return '';
        throw new Error(`a document has HTML of its own: expected Markdown, got ${text}`);
      },
      table({ header, rows }) {
        const align = (cell: Tokens.TableCell) => (cell.align ? ` class="${cell.align}"` : '');
        const cell = (it: Tokens.TableCell, tag: string) =>
          `<${tag}${tag === 'th' ? ' scope="row"' : ''}${align(it)}>${this.parser.parseInline(it.tokens)}</${tag}>`;
        const heads = header.map((it) =>
          it.text === ''
            ? '<td></td>'
            : `<th scope="col"${align(it)}>${this.parser.parseInline(it.tokens)}</th>`,
        );
        const head = header.some((it) => it.text) ? `<thead><tr>${heads.join('')}</tr></thead>` : '';
        const body = rows.map(
          (row) => `<tr>${row.map((it, i) => cell(it, i === 0 ? 'th' : 'td')).join('')}</tr>`,
        );
        return `<div class="table"><table>${head}<tbody>${body.join('\n')}</tbody></table></div>\n`;
      },
    },
  });
}

/** The words of a text without its marks, for the search. */
function plain(tokens: readonly Token[] | undefined): string {
  return (tokens ?? [])
    .map((token) => {
      if (token.type === 'table') {
        const { header, rows } = token as Tokens.Table;
        return [header, ...rows].map((row) => row.map((cell) => plain(cell.tokens)).join(' ')).join(' ');
      }
      if (token.type === 'list')
        return (token as Tokens.List).items.map((item) => plain(item.tokens)).join(' ');
      if (token.type === 'html' || token.type === 'space') return ' ';
      if ('tokens' in token && token.tokens) return plain(token.tokens);
      return 'text' in token ? String(token.text) : token.raw;
    })
    .join('');
}
