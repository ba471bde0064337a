// Which files of the repository are pages of the site, and where.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path/posix';
import { linksOf } from './blocks.js';

export interface Document {
  /** In the repository: `docs/loss.md`. */
  readonly source: string;
  /** On the site: `docs/loss.html`. */
  readonly address: string;
  readonly title: string;
  readonly text: string;
  readonly group: 'Documents' | 'Project' | 'Sources';
}

/** The pages of demo/, in the order in which they are listed; `short`: in the header. */
export const demoPages = [
  { file: 'index.html', title: 'The explorer', short: 'Explorer' },
  { file: 'train.html', title: 'A network that learns', short: 'Training' },
  { file: 'read.html', title: 'A picture that is read', short: 'Pictures' },
].map((page) => ({ ...page, address: `explorer/${page.file}` }));

/** Files of the repository that are no Markdown and still pages: what the documents link to. */
const codeFiles = new Set(['.js', '.ts', '.mjs', '.wgsl']);

/** The Markdown files that readers of the library need; the README lists the rest of them in its own order. */
const project = ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** All of them, the README first. A document that the README does not list would be found by nobody, and is an error. */
export function documentsOf(repository: string): Document[] {
  const readText = (source: string) =>
    readFileSync(`${repository}/${source}`, 'utf8').replaceAll('\r\n', '\n');
  const readme = readText('README.md');
  const listed = linksOf(readme)
    .map((link) => link.replace(/#.*/, ''))
    .filter((link) => link.endsWith('.md') && !/^[a-z]+:/.test(link) && !project.includes(link));
  const inOrder = [...new Set(tableOf(readme).filter((link) => listed.includes(link)))];
  const all = readdirSync(`${repository}/docs`)
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`);
  const missing = all.filter((source) => !inOrder.includes(source));
  if (missing.length)
    throw new Error(`README.md: expected its table to list every document, got none of ${missing}`);

  const markdown = ['README.md', ...inOrder, 'examples/queue/README.md', ...project].filter((source) =>
    existsSync(`${repository}/${source}`),
  );
  const documents = markdown.map((source): Document => {
    const text = readText(source);
    const group = project.includes(source) ? 'Project' : 'Documents';
    return { source, text, group, address: addressOf(source), title: titleOf(text) };
  });
  const sources = documents
    .flatMap(({ source, text }) => linksOf(text).map((link) => targetOf(source, link).path))
    .filter((path) => codeFiles.has(extname(path)) && existsSync(`${repository}/${path}`));
  for (const source of new Set(sources))
    documents.push({
      ...{ source, text: readText(source), title: source },
      ...{ group: 'Sources', address: addressOf(source) },
    });
  return documents;
}

/** `docs/loss.md` is `docs/loss.html`, a README the index of its folder, `examples/npy.js` is `examples/npy.js.html`. */
function addressOf(source: string): string {
  if (/(^|\/)README\.md$/.test(source)) return source.replace('README.md', 'index.html');
  if (source.endsWith('.md'))
    return source.replace(/[^/]+\.md$/, (name) => name.toLowerCase().replace('.md', '.html'));
  return `${source}.html`;
}

/** Where a link of a document leads in the repository; the path is empty for a link out of it. */
export function targetOf(source: string, link: string): { readonly path: string; readonly anchor: string } {
  if (/^[a-z]+:/.test(link)) return { path: '', anchor: '' };
  const [path, anchor = ''] = link.split('#') as [string, string?];
  return { path: path === '' ? source : join(dirname(source), path), anchor };
}

const titleOf = (text: string) => /^# (.*)$/m.exec(text)?.[1] ?? '';

/** Where the links in the tables of a page lead. */
const tableOf = (page: string) =>
  Array.from(page.matchAll(/^\|\s*\[[^\]]*\]\(([^)]+)\)/gm), ([, link]) => link!);
