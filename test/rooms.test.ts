/** The rooms of src: data passes from one to the next, and no room knows those above it. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { kernelNames } from '../src/kernels/kernels.js';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** From the lowest to the highest; those beside each other do not know each other. */
const floors = [
  ['problem'],
  ['kernels', 'text', 'node'],
  ['files'],
  ['plan', 'lm'],
  ['run'],
  ['api'],
  ['adapters'],
  ['entries'],
  ['cli'],
];

const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(src, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
/** Names without endings. */
const namesIn = (folder: string) =>
  readdirSync(join(src, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name.replace(/\.\w+$/, ''))
    .sort();
const roomOf = (file: string) => file.split('/')[0]!;
const floorOf = (file: string) => floors.findIndex((rooms) => rooms.includes(roomOf(file)));

const imports = files.flatMap((file) => {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g);
  return Array.from(found, ([, path]) => {
    const to = normalize(join(dirname(file), path!)).replaceAll('\\', '/');
    return { file, to };
  }).filter(({ to }) => !to.startsWith('..'));
});

test('every file is in a room', () => {
  expect(files.filter((file) => floorOf(file) < 0)).toEqual([]);
});

test('no import goes to a higher room, or to one beside', () => {
  const wrong = imports.filter(({ file, to }) => roomOf(file) !== roomOf(to) && floorOf(to) >= floorOf(file));
  expect(wrong.map(({ file, to }) => `${file} imports ${to}`)).toEqual([]);
});

test('no file imports itself over others', () => {
  const nextOf = (file: string) =>
    imports.filter((one) => one.file === file).map(({ to }) => to.replace(/\.js$/, '.ts'));
  const ways = new Map(files.map((file) => [file, nextOf(file)]));
  const circles = files.filter((file) => {
    const reached = new Set(ways.get(file));
    for (const other of reached) for (const next of ways.get(other) ?? []) reached.add(next);
    return reached.has(file);
  });
  expect(circles).toEqual([]);
});

test('at most 12 rooms and 34 ways between them', () => {
  expect(new Set(files.map(roomOf)).size).toBeLessThanOrEqual(12);
  const ways = imports.map(({ file, to }) => `${roomOf(file)} → ${roomOf(to)}`);
  const between = ways.filter((way) => new Set(way.split(' → ')).size > 1);
  expect(new Set(between).size).toBeLessThanOrEqual(34);
});

test('no two files have one name', () => {
  const names = files.map((file) => file.split('/').at(-1)!);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test('a kernel is its text, its twin, its line and its row of a table, and has no name of what is shared', () => {
  const kernels = kernelNames.toSorted();
  const contributing = readFileSync(join(src, '../CONTRIBUTING.md'), 'utf8');
  const table = /\n\| kernel \|[^\n]*\n([\s\S]*?)\n\n/.exec(contributing)![1]!;
  expect(Array.from(table.matchAll(/^\| `(\w+)`/gm), ([, name]) => name).sort()).toEqual(kernels);
  expect(namesIn('../shaders')).toEqual(kernels);
  const search = ['beam', 'prune', 'unwind'];
  expect([...namesIn('run/cpu/twins'), ...search].sort()).toEqual(kernels);
  expect(namesIn('run/cpu/search')).toEqual([...search, 'bits', 'twins'].sort());
  const others = [...namesIn('../shaders/shared'), ...namesIn('../shaders/helpers')];
  expect(others.filter((name) => kernels.includes(name as (typeof kernels)[number]))).toEqual([]);
});
