// Makes the site: what the documents, the published types and demo/ hold, as static files that need no server of their own.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle, type Rolldown } from 'vite';
import { blocksOf, fileIn } from './blocks.js';
import { type Document, demoPages, documentsOf, targetOf } from './documents.js';
import { homeOf } from './home.js';
import { type Links, render, renderSource, type Section } from './markdown.js';
import { htmlOf, linkFrom, mark, type Page, type Site } from './page.js';
import { entriesOf } from './reference.js';
import { placesOf, referencePages } from './reference-pages.js';

export interface SiteOptions {
  /** Where the site will lie on its server, for the page that is shown in the place of one that is missing. Default `/`. */
  readonly base?: string | undefined;
  /** The address of the repository. Default: that of package.json. */
  readonly repository?: string | undefined;
}

/** An entry of the search: where it leads, the page that it is on, its heading, its words. */
export interface Found {
  readonly id: string;
  readonly page: string;
  readonly heading: string;
  readonly text: string;
  readonly group: string;
}

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
const packaged = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The files of the site by their addresses, all but the explorer and the copy of the library. */
export async function filesOf(options: SiteOptions = {}): Promise<Map<string, string | Uint8Array>> {
  const documents = documentsOf(root);
  const entries = entriesOf(root);
  const places = placesOf(entries);
  const reference = referencePages(entries);
  const files = new Map<string, string | Uint8Array>();
  const { script, style } = await addClient(files);

  const item = ({ address, title }: { address: string; title: string }) => ({ address, title });
  const inGroup = (group: Document['group']) =>
    documents.filter((it) => it.group === group && it.source !== 'README.md').map(item);
  const site: Site = {
    ...{ name: packaged.name, version: packaged.version, script, style },
    description: packaged.description,
    repository: options.repository ?? packaged.repository.url.replace(/^git\+|\.git$/g, ''),
    nav: [
      {
        title: 'See it',
        items: [{ address: 'index.html', title: 'What it is' }, ...demoPages.map(item)],
      },
      { title: 'Documents', items: inGroup('Documents') },
      { title: 'Reference', items: reference.map(item) },
      { title: 'Project', items: inGroup('Project') },
    ],
  };

  const found: Found[] = [];
  const add = (page: Page, group: string, sections: readonly Section[] = []) => {
    files.set(page.address, htmlOf(page, site));
    for (const { depth, id, text, content } of sections)
      found.push({
        ...{
          id: depth === 1 ? page.address : `${page.address}#${id}`,
          page: page.title,
          heading: text,
          group,
        },
        text: content.replace(/\s+/g, ' ').trim(),
      });
  };

  for (const document of documents) {
    const { address, source, title, group } = document;
    const common = { address, title, source };
    if (group === 'Sources') {
      add({ ...common, html: renderSource(document.text, source.replace(/.*\./, '')), headings: [] }, group);
      continue;
    }
    const rendered = render(document.text, linksOf(document, documents, files, places, site));
    const isHome = source === 'README.md';
    const html = isHome ? homeOf(rendered) : rendered.parts.map((part) => part.html).join('\n');
    // the first page has its parts in an order of its own, and the list beside it begins with what there is
    const headings = isHome ? [] : rendered.headings;
    add({ ...common, html, headings, isHome }, group, rendered.sections);
  }
  for (const page of reference) add({ ...page }, 'Reference', page.sections);
  add(
    {
      ...{ address: '404.html', title: 'Not here', base: options.base ?? '/', headings: [] },
      html: `<p>There is no page at this address. It may have moved: search for it, or take it from the list of pages.</p>`,
    },
    '',
  );
  files.set('search.json', JSON.stringify(found));
  addFrame(files, documents);
  files.set('explorer.css', readFileSync(join(root, 'site/explorer.css')));
  return files;
}

/** Links of a document: to another page of the site, to a file that comes along, or out. */
function linksOf(
  { source, address }: Document,
  documents: readonly Document[],
  files: Map<string, string | Uint8Array>,
  places: ReturnType<typeof placesOf>,
  site: Site,
): Links {
  return {
    link(href) {
      const { path, anchor } = targetOf(source, href);
      if (path === '') return href;
      const page = documents.find((it) => it.source === path);
      if (page) return linkFrom(address, anchor ? `${page.address}#${anchor}` : page.address);
      if (!existsSync(join(root, path)))
        throw new Error(`${source}: expected the link ${href} to lead somewhere`);
      if (!/\.(png|jpg|svg)$/.test(path)) return `${site.repository}/blob/HEAD/${path}`;
      files.set(path, readFileSync(join(root, path)));
      return linkFrom(address, path);
    },
    sizeOf(href) {
      const { path } = targetOf(source, href);
      if (!path.endsWith('.png')) return undefined;
      const header = readFileSync(join(root, path)).subarray(16, 24);
      return [header.readUInt32BE(0), header.readUInt32BE(4)];
    },
    reference(name) {
      const place = places(name);
      return place && linkFrom(address, place);
    },
  };
}

/** The script and the style of the pages, made small. */
async function addClient(
  files: Map<string, string | Uint8Array>,
): Promise<{ script: string; style: string }> {
  const { output } = (await bundle({
    ...{ root: join(root, 'site/client'), base: './', configFile: false, logLevel: 'error' },
    build: {
      ...{ write: false, target: 'es2022', modulePreload: false, cssCodeSplit: false, assetsInlineLimit: 0 },
      rolldownOptions: { input: join(root, 'site/client/main.ts') },
    },
  })) as Rolldown.RolldownOutput;
  for (const file of output) files.set(file.fileName, file.type === 'chunk' ? file.code : file.source);
  const named = (is: (file: (typeof output)[number]) => boolean) => output.find(is)!.fileName;
  return {
    script: named((file) => file.type === 'chunk' && file.isEntry),
    style: named(({ fileName }) => fileName.endsWith('.css')),
  };
}

/** The page in which the examples run, with the files that blocks of the documents say are beside them. */
function addFrame(files: Map<string, string | Uint8Array>, documents: readonly Document[]): void {
  for (const file of ['frame.html', 'frame.js'])
    files.set(`live/${file}`, readFileSync(join(root, 'site/live', file)));
  for (const { source, text } of documents)
    for (const { place, language, code } of source.endsWith('.md') ? blocksOf(text) : []) {
      const file = fileIn(place);
      if (!file || language !== 'js') continue;
      if (files.has(`live/${file}`))
        throw new Error(`${source}: expected one file ${file} in all documents, got two`);
      files.set(`live/${file}`, code);
    }
}

/** Writes the site into a folder, which is emptied first. */
export async function writeSite(folder: string, options: SiteOptions = {}): Promise<number> {
  const files = await filesOf(options);
  rmSync(folder, { recursive: true, force: true });
  for (const [address, content] of files) {
    mkdirSync(dirname(join(folder, address)), { recursive: true });
    writeFileSync(join(folder, address), content);
  }
  const library = join(folder, 'live/node_modules/webgpu-ctc/dist');
  // what a page loads: no types, no command line
  const isForPages = (path: string) => !/\.d\.ts$|[\\/]cli\.js/.test(path);
  cpSync(join(root, 'dist'), library, { recursive: true, filter: isForPages });
  return files.size;
}

/** Adds the pages of demo/ as `vite build --mode demo` makes them, each with a way back. */
export function addExplorer(folder: string): void {
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const place = resolve(folder, 'explorer');
  const args = ['build', '--mode', 'demo', '--logLevel', 'warn', '--outDir', place, '--emptyOutDir'];
  execFileSync(process.execPath, [vite, ...args], { cwd: root, stdio: 'inherit' });
  for (const { file } of demoPages) {
    const path = join(place, file);
    writeFileSync(path, withWayBack(readFileSync(path, 'utf8'), file));
  }
}

/** A page of demo/ with a way to the documents in front of its title. */
export function withWayBack(html: string, page: string): string {
  const link = `<a id="site" href="../index.html" aria-label="${packaged.name}: documents">${mark}</a>`;
  const style = '<link rel="stylesheet" href="../explorer.css">';
  if (!/<header>\s*<h1>/.test(html))
    throw new Error(`demo/${page}: expected a header that begins with a title, for the way to the documents`);
  return html.replace('<h1>', `${link}\n      <h1>`).replace('</head>', `${style}\n</head>`);
}
