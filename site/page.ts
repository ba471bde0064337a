// The frame that all pages of the site have: header, the list of pages, the text, and what is before and behind it.
import { relative } from 'node:path/posix';
import { demoPages } from './documents.js';
import { escaped, type Heading } from './markdown.js';

export interface NavItem {
  readonly address: string;
  readonly title: string;
}

export interface Site {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** The pages in the list beside the text, in groups. */
  readonly nav: readonly { readonly title: string; readonly items: readonly NavItem[] }[];
  /** Of the files in `assets/`. */
  readonly script: string;
  readonly style: string;
  /** The address of the repository, where a change to a page is made. */
  readonly repository: string;
}

export interface Page {
  readonly address: string;
  readonly title: string;
  readonly html: string;
  readonly headings: readonly Heading[];
  /** In the repository. */
  readonly source?: string | undefined;
  readonly isHome?: boolean;
  /** Where all addresses begin that are not relative; only for a page that is shown in the place of another. */
  readonly base?: string | undefined;
}

/** What a page may load: nothing but its own origin. */
const policy =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-src 'self'";

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='3' fill='%23b84a00'/%3E%3Cpath d='M3 4h3l3 4 3 4h1' stroke='%23fff' stroke-width='2' fill='none'/%3E%3C/svg%3E";

/** The sign of the site. */
export const mark =
  '<svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="3"/><path d="M3 4h3l3 4 3 4h1"/></svg>';

/** From a page to another one of the site, so that the site may lie in any folder of a server. */
export function linkFrom(from: string, to: string): string {
  const [path, anchor] = to.split('#') as [string, string?];
  const way = relative(`${from}/..`, path) || path.replace(/.*\//, '');
  return anchor ? (path === from ? `#${anchor}` : `${way}#${anchor}`) : way;
}

export function htmlOf(page: Page, site: Site): string {
  const { address, title, headings, source } = page;
  const to = (path: string) => escaped(page.base === undefined ? linkFrom(address, path) : page.base + path);
  const link = ({ address: path, title: text }: NavItem) =>
    `<a href="${to(path)}"${path === address ? ' aria-current="page"' : ''}>${escaped(text)}</a>`;

  const inPage = headings.filter(({ depth }) => depth === 2);
  const contents = inPage.length
    ? `<ol class="contents">${inPage.map(({ id, text }) => `<li><a href="#${id}">${escaped(text)}</a></li>`).join('')}</ol>`
    : '';
  const groups = site.nav.map(
    (
      group,
      i,
    ) => `<section aria-labelledby="site-group-${i}"><h2 id="site-group-${i}">${escaped(group.title)}</h2>
<ul>${group.items.map((item) => `<li>${link(item)}${item.address === address ? contents : ''}</li>`).join('\n')}</ul></section>`,
  );

  const inOrder = site.nav.flatMap(({ items }) => items);
  const at = inOrder.findIndex((item) => item.address === address);
  const beside = (i: number, word: string) => {
    const item = at >= 0 ? inOrder[i] : undefined;
    return item ? `<a href="${to(item.address)}"><span>${word}</span> ${escaped(item.title)}</a>` : '';
  };
  const edit = source ? `<a href="${site.repository}/blob/HEAD/${source}">Source of this page</a>` : '';

  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(page.isHome ? `${site.name}: ${site.description}` : `${title} · ${site.name}`)}</title>
${page.isHome ? `<meta name="description" content="${escaped(site.description)}">` : ''}
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="${to(site.style)}">
<script type="module" src="${to(site.script)}" data-root="${to('index.html').replace(/index\.html$/, '') || './'}"></script>
</head>
<body${page.isHome ? ' class="home"' : ''}>
<a class="skip" href="#site-main">Skip to the text</a>
<header>
<a class="brand" href="${to('index.html')}">${mark}${escaped(site.name)}</a>
<nav class="places" aria-label="Site">
<a href="${to('index.html#documentation')}">Documents</a>
<a href="${to('reference/index.html')}">Reference</a>
${demoPages.map(({ address: path, short }) => `<a href="${to(path)}">${short}</a>`).join('\n')}
</nav>
<button type="button" id="site-search" aria-keyshortcuts="Control+K" hidden>Search</button>
<a class="button" id="site-menu" href="#site-pages">Menu</a>
</header>
<div class="columns">
<nav id="site-pages" aria-label="Pages">
${groups.join('\n')}
</nav>
<main id="site-main" tabindex="-1">
${page.isHome ? '' : `<h1>${escaped(title)}</h1>\n`}${page.html}
<footer>
<nav class="beside" aria-label="Next pages">${beside(at - 1, 'Before:')}${beside(at + 1, 'Next:')}</nav>
<p>${escaped(site.name)} ${site.version}${edit && ` · ${edit}`}</p>
</footer>
</main>
</div>
</body>
</html>
`;
}
