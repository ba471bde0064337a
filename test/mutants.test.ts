import { expect, test } from 'vitest';

const { changesOf, mutantsOf, tokensOf } = await import(
  new URL('../scripts/mutants.mjs', import.meta.url).href
);

const changed = (text: string, isWgsl = false) =>
  changesOf(text, isWgsl).map(
    ({ at, before, after }: { at: number; before: string; after: string }) =>
      text.slice(0, at) + after + text.slice(at + before.length),
  );

test('code is changed, a token at a time', () => {
  expect(changed('a + b < 2 && !c;')).toEqual([
    'a - b < 2 && !c;',
    'a + b <= 2 && !c;',
    'a + b < 3 && !c;',
    'a + b < 2 || !c;',
    'a + b < 2 && c;',
  ]);
  expect(changed('Math.min(a, i++);')).toEqual(['', 'Math.max(a, i++);', 'Math.min(a, i--);']);
  expect(changed('let x = select(0u, 0x1fu, v >> 3u == y);', true)).toEqual([
    'let x = select(1u, 0x1fu, v >> 3u == y);',
    'let x = select(0u, 0x20u, v >> 3u == y);',
    'let x = select(0u, 0x1fu, v << 3u == y);',
    'let x = select(0u, 0x1fu, v >> 4u == y);',
    'let x = select(0u, 0x1fu, v >> 3u != y);',
  ]);
});

test('comments, strings, regular expressions, types, bindings and names are not', () => {
  expect(changed('a.constructor.toString(b.max, { min: c });')).toEqual(['']);
  expect(changed('/* 1 + 1 */ f("1 + 1", \'!\', /[/]1 + 1/.exec(x)!, `1 + 1`); // 1 + 1')).toEqual([]);
  expect(changed('const f: Map<1, A> = g as (x: A) => B;')).toEqual([
    'const f: Map<2, A> = g as (x: A) => B;',
  ]);
  expect(changed('@group(0) @binding(4) var<storage, read> a: array<vec4f>;', true)).toEqual([]);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: code
  const inTemplates = tokensOf('`a ${b + `${1 + c}` + { d: `e` }} f` + g', false);
  expect(
    inTemplates
      .filter(({ kind }: { kind: string }) => kind === 'word')
      .map(({ text }: { text: string }) => text),
  ).toEqual(['b', 'c', 'd', 'g']);
});

test('a seed chooses one change of a line, always the same', () => {
  const files = [{ file: 'a.ts', text: 'a + b - c;\n\nd < 1;\n' }];
  const mutants = mutantsOf(files, 3);
  expect(mutants.map(({ line }: { line: number }) => line).toSorted()).toEqual([1, 3]);
  expect(mutantsOf(files, 3)).toEqual(mutants);
});
