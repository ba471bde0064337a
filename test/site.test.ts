// The site as `npm run site` makes it, without a browser: what it holds and where its links lead. e2e/site.test.ts visits it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dirname, join as joinAddress } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { type Found, filesOf, withWayBack } from '../site/build.js';
import { demoPages } from '../site/documents.js';
import build from './build.js';

const repository = fileURLToPath(new URL('..', import.meta.url));
const packaged = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));

let files: Map<string, string | Uint8Array>;
let pages: [address: string, html: string][];

/** What the site takes from demo/ as that is built: addresses that links may lead to. */
const fromDemo = demoPages.map(({ address }) => address);

beforeAll(async () => {
  build(); // the reference is made of the types in dist/
  files = await filesOf({ base: '/webgpu-ctc/' });
  pages = [...files].flatMap(([address, content]) =>
    address.endsWith('.html') && !address.startsWith('live/') ? [[address, String(content)]] : [],
  );
});

const idsOf = (html: string) => new Set(Array.from(html.matchAll(/ id="([^"]+)"/g), ([, id]) => id!));
const addressesIn = (html: string) =>
  Array.from(html.matchAll(/ (?:href|src|data-root)="([^"]*)"/g), ([, link]) =>
    link!.replaceAll('&amp;', '&'),
  );

test('every link of every page leads somewhere', () => {
  const ids = new Map(pages.map(([address, html]) => [address, idsOf(html)]));
  const dead = pages.flatMap(([address, html]) =>
    addressesIn(html)
      .filter((link) => !/^(https?|data):/.test(link))
      .filter((link) => {
        const [path, anchor] = link.split('#') as [string, string?];
        const inSite =
          address === '404.html' ? path.replace(/^\/webgpu-ctc\//, '') : joinAddress(dirname(address), path);
        const target = path === '' ? address : inSite;
        if (link === './' || /^(\.\.\/)+$/.test(link) || target === '') return false;
        if (fromDemo.includes(target)) return false;
        if (!files.has(target)) return true;
        return anchor !== undefined && anchor !== '' && !ids.get(target)?.has(anchor);
      })
      .map((link) => `${address}: ${link}`),
  );
  expect(dead).toEqual([]);
});

test('a page loads nothing from elsewhere, and its policy would not let it', () => {
  for (const [address, html] of pages) {
    const loaded = html.match(/<(?:script|link|img|iframe)\b[^>]*>/g) ?? [];
    expect(
      loaded.filter((tag) => /(?:src|href)="(?:https?:)?\/\//.test(tag)),
      address,
    ).toEqual([]);
    expect(html, address).toContain(`content="default-src 'self'`);
    // the policy has no exception for them
    expect(html, address).not.toMatch(/<[^>]* style="|<style|<script(?![^>]* src=)/);
  }
});

test('an id is on a page once, and headings go down one step at a time', () => {
  for (const [address, html] of pages) {
    const ids = Array.from(html.matchAll(/ id="([^"]+)"/g), ([, id]) => id);
    expect(
      ids.filter((id, i) => ids.indexOf(id) !== i),
      address,
    ).toEqual([]);
    const [, main = ''] = /<main[^>]*>([\s\S]*)<\/main>/.exec(html) ?? [];
    const depths = Array.from(main.matchAll(/<h(\d)/g), ([, depth]) => Number(depth));
    expect(depths[0], address).toBe(1);
    expect(
      depths.filter((depth, i) => depth > (depths[i - 1] ?? 1) + 1 || (depth === 1 && i > 0)),
      address,
    ).toEqual([]);
  }
});

test('every document is a page, in the list beside each', () => {
  const documents = readdirSync(join(repository, 'docs')).filter((file) => file.endsWith('.md'));
  const home = files.get('index.html');
  for (const document of documents) {
    const address = `docs/${document.replace('.md', '.html')}`;
    expect([...files.keys()]).toContain(address);
    expect(home).toContain(`<a href="${address}">`);
  }
});

test('the reference has every name that can be imported, and the search finds each', () => {
  const found = JSON.parse(String(files.get('search.json'))) as Found[];
  const sources = readdirSync(join(repository, 'src/entries')).map((file) => file.replace('.ts', ''));
  const entries = Object.keys(packaged.exports).map((path) => path.replace(/^\.\/?/, '') || 'index');
  expect(sources.toSorted()).toEqual(entries.filter((name) => name !== 'package.json').toSorted());
  for (const entry of sources.filter((name) => name !== 'node' && name !== 'static')) {
    const address = `reference/${entry === 'index' ? 'core' : entry}.html`;
    const ids = idsOf(String(files.get(address)));
    const types = readFileSync(join(repository, 'dist', `${entry}.d.ts`), 'utf8');
    const listed = Array.from(types.matchAll(/^export (?:type )?\{(.*)\};$/gm), ([, names]) =>
      names!.split(',').map((name) => name.trim()),
    ).flat();
    const declared = Array.from(
      types.matchAll(/^export declare (?:class|function|const) (\w+)/gm),
      ([, name]) => name!,
    );
    const names = [...listed.map((name) => name.replace(/^type |.* as /, '')), ...declared];
    expect(names.length, entry).toBeGreaterThan(2);
    expect(
      names.filter((name) => !ids.has(name)),
      entry,
    ).toEqual([]);
    expect(names.filter((name) => !found.some(({ id }) => id === `${address}#${name}`))).toEqual([]);
  }
});

test('a public name says what it is for', () => {
  const found = JSON.parse(String(files.get('search.json'))) as Found[];
  const silent = found.filter(({ id, group, text }) => {
    const [address, name] = id.split('#') as [string, string?];
    if (group !== 'Reference' || name === undefined || name.includes('.') || text !== '') return false;
    // what stands behind that heading is a part of types, which nobody imports by its name
    const [exported = ''] = String(files.get(address)).split('<h2 id="not-exported-by-name">');
    return idsOf(exported).has(name);
  });
  expect(silent.map(({ id }) => id)).toEqual([]);
});

test('what the search finds is there', () => {
  const found = JSON.parse(String(files.get('search.json'))) as Found[];
  const ids = new Map(pages.map(([address, html]) => [address, idsOf(html)]));
  const dead = found.filter(({ id }) => {
    const [address, anchor] = id.split('#') as [string, string?];
    return !ids.has(address) || (anchor !== undefined && !ids.get(address)!.has(anchor));
  });
  expect(dead).toEqual([]);
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
});

test('the pages of demo/ have a way back', () => {
  const files = demoPages.map(({ file }) => file);
  expect(
    readdirSync(join(repository, 'demo'))
      .filter((file) => file.endsWith('.html'))
      .sort(),
  ).toEqual(files.toSorted());
  for (const page of files)
    expect(withWayBack(readFileSync(join(repository, 'demo', page), 'utf8'), page)).toMatch(
      /<header>\s*<a id="site" href="\.\.\/index\.html"/,
    );
  expect(() => withWayBack('<p></p>', 'index.html')).toThrow(/demo\/index\.html: expected a header/);
  expect(existsSync(join(repository, 'site/explorer.css'))).toBe(true);
});
