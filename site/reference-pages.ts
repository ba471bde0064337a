// The reference as pages: one for each entry of the package, and a list of all.
import type { Heading, Links, Section } from './markdown.js';
import { escaped, highlighted, renderComment } from './markdown.js';
import { linkFrom } from './page.js';
import type { Comment, Declared, Entry, Member } from './reference.js';

export interface ReferencePage {
  readonly address: string;
  readonly title: string;
  readonly html: string;
  readonly headings: readonly Heading[];
  readonly sections: readonly Section[];
}

const addressOf = (entry: Entry) => `reference/${entry.file === 'index' ? 'core' : entry.file}.html`;

/** Where the reference tells of a name. Of what several entries export, the first one's; names of members are no names here. */
export function placesOf(entries: readonly Entry[]): (name: string, from?: Entry) => string | undefined {
  const find = (entry: Entry, name: string) =>
    entry.declared.some((one) => one.name === name) ? `${addressOf(entry)}#${name}` : undefined;
  return (name, from) => {
    const own = from && find(from, name);
    if (own) return own;
    for (const entry of entries) {
      const place = find(entry, name);
      if (place) return place;
    }
    return undefined;
  };
}

/** The pages of the reference. What exports the same as another entry has no page of its own. */
export function referencePages(entries: readonly Entry[]): ReferencePage[] {
  const places = placesOf(entries);
  const own = entries.filter(({ sameAs }) => sameAs === undefined);
  const summary = (entry: Entry, address: string) =>
    renderComment(
      entry.summary,
      linksOn(address, (name) => places(name, entry)),
    );
  const list = 'reference/index.html';
  const rows = entries.map((entry) => {
    const page = entries.find(({ name }) => name === (entry.sameAs ?? entry.name))!;
    return `<dt><a href="${linkFrom(list, addressOf(page))}"><code>${entry.name}</code></a></dt><dd>${summary(entry, list)}</dd>`;
  });
  const index: ReferencePage = {
    address: list,
    title: 'Reference',
    html: `<p>What each entry of the package exports, from the types that are published with it.</p><dl class="entries">${rows.join('\n')}</dl>`,
    headings: [],
    sections: [],
  };
  return [index, ...own.map((entry) => pageOf(entry, entries, places))];
}

const linksOn = (address: string, place: (name: string) => string | undefined): Links => ({
  link: (href) => href,
  sizeOf: () => undefined,
  reference: (name) => {
    const to = place(name);
    return to && linkFrom(address, to);
  },
});

const kinds: Record<Declared['kind'], string> = {
  class: 'Classes',
  function: 'Functions',
  constant: 'Constants',
  interface: 'Interfaces',
  type: 'Types',
};

function pageOf(entry: Entry, entries: readonly Entry[], places: ReturnType<typeof placesOf>): ReferencePage {
  const address = addressOf(entry);
  const links = linksOn(address, (name) => places(name, entry));
  const headings: Heading[] = [];
  const sections: Section[] = [];
  const exported = entry.declared.filter(({ isExported }) => isExported);
  const hidden = entry.declared.filter(({ isExported }) => !isExported);
  const code = (text: string, self: string) =>
    withLinks(highlighted(text, 'typescript'), (name) => (name === self ? undefined : links.reference(name)));

  const memberOf = (owner: Declared, member: Member) => {
    const id = `${owner.name}.${member.name.replace(/\W/g, '')}`;
    sections.push({ depth: 3, id, text: `${owner.name}.${member.name}`, content: contentOf(member.comment) });
    return `<dt id="${id}"><pre><code>${code(member.code, '')}</code></pre></dt><dd>${commentHtml(member.comment, links)}</dd>`;
  };
  const declaredOf = (one: Declared) => {
    sections.push({ depth: 2, id: one.name, text: one.name, content: contentOf(one.comment) });
    const members = one.members.map((member) => memberOf(one, member));
    // its kind and its name alone say the heading and the list above
    const declaration =
      one.code === `${one.kind} ${one.name}`
        ? ''
        : `<pre class="declaration"><code>${code(one.code, one.name)}</code></pre>`;
    return `<section class="declared"><h3 id="${one.name}">${one.name}</h3>
${declaration}
${commentHtml(one.comment, links)}${members.length ? `<dl class="members">${members.join('\n')}</dl>` : ''}</section>`;
  };

  const import_ = `import { ${exported.find(({ kind }) => kind !== 'interface' && kind !== 'type')?.name} } from '${entry.name}';`;
  const same = entries.filter(({ sameAs }) => sameAs === entry.name);
  const parts = [
    renderComment(entry.summary, links),
    `<figure class="code"><pre><code>${highlighted(import_, 'typescript')}</code></pre></figure>`,
    ...same.map(
      ({ name, summary }) =>
        `<p>The same from <code>${name}</code>: ${renderComment(summary, links).replace(/<\/?p>/g, '')}</p>`,
    ),
  ];
  const group = (title: string, all: readonly Declared[], intro = '') => {
    if (all.length === 0) return;
    const id = title.toLowerCase().replace(/\W+/g, '-');
    headings.push({ depth: 2, id, text: title });
    const names = all.map(({ name }) => `<li><a href="#${name}"><code>${name}</code></a></li>`);
    parts.push(
      `<h2 id="${id}">${title}</h2>${intro}<ul class="names">${names.join('')}</ul>`,
      ...all.map(declaredOf),
    );
  };
  for (const [kind, title] of Object.entries(kinds))
    group(
      title,
      exported.filter((one) => one.kind === kind),
    );
  group('Not exported by name', hidden, '<p>What the types above are made of.</p>');
  return { address, title: entry.name, html: parts.join('\n'), headings, sections };
}

const contentOf = ({ text, parameters, returns = '', throws = '' }: Comment) =>
  [text, ...parameters.map((one) => `${one.name} ${one.text}`), returns, throws]
    .join(' ')
    .replaceAll('`', '');

function commentHtml({ text, parameters, returns, throws }: Comment, links: Links): string {
  const inline = (it: string) => renderComment(it, links).replace(/^<p>|<\/p>\s*$/g, '');
  const items = [
    ...parameters.map(({ name, text: is }) => `<dt><code>${escaped(name)}</code></dt><dd>${inline(is)}</dd>`),
    ...(returns ? [`<dt>returns</dt><dd>${inline(returns)}</dd>`] : []),
    ...(throws ? [`<dt>throws</dt><dd>${inline(throws)}</dd>`] : []),
  ];
  return `${renderComment(text, links)}${items.length ? `<dl class="tags">${items.join('')}</dl>` : ''}`;
}

/** Names in coloured code as links: those between its marks, and outside of comments and strings. */
const withLinks = (html: string, place: (name: string) => string | undefined): string => {
  let quiet = 0; // spans that are open within a comment or a string
  return html.replace(/<span class="([^"]*)">|<\/span>|\b[A-Za-z]\w*\b/g, (match, classes?: string) => {
    if (match.startsWith('<span')) {
      if (quiet || /hljs-(comment|string)/.test(classes ?? '')) quiet++;
      return match;
    }
    if (match === '</span>') {
      if (quiet) quiet--;
      return match;
    }
    const to = quiet || !/^[A-Z]/.test(match) ? undefined : place(match);
    return to ? `<a href="${escaped(to)}">${match}</a>` : match;
  });
};
