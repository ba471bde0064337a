// One-token changes of a source text, TypeScript or WGSL: what `npm run mutate` hands the tests to notice.

const swapped = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  '===': '!==',
  '!==': '===',
  '&&': '||',
  '||': '&&',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '/=': '*=',
  '|=': '&=',
  '&=': '|=',
  '++': '--',
  '--': '++',
};
const ofWgsl = { '&': '|', '|': '&', '^': '|' };
const words = {
  true: 'false',
  false: 'true',
  min: 'max',
  max: 'min',
  first: 'last',
  last: 'first',
  break: 'continue',
  continue: 'break',
};

const tokenOf = new RegExp(
  [
    /\/\/.*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/,
    /(?<number>(?:0x[\da-fA-F]+|(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:e[+-]?\d+)?)[uifhn]?)/,
    /(?<word>[\w$#@]+)/,
    /(?<operator>>>>=|===|!==|\*\*=|<<=|>>=|>>>|\?\?=|&&=|\|\|=|\.\.\.|=>|->|\+\+|--|&&|\|\||\?\?|\?\.|\*\*|[-+*/%&|^<>=!]=|<<|>>|[-+*/%&|^<>=!~?:;,.(){}[\]])/,
    /\s+|./,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gy',
);

/** What may stand before a value: a slash there opens a regular expression, an exclamation mark negates. */
const beforeValue =
  /^(?:[([{},;:=!&|?+\-*/%<>^~]|=>|[=!<>]==?|&&|\|\||\?\?|\+=|-=|\.\.\.|return|typeof|case|of|in|await|yield|if)$/;

/** The tokens of a text that are code: neither comments nor strings nor regular expressions. */
export function tokensOf(text, isWgsl) {
  const tokens = [];
  /** For each template literal that is open, the braces open in its expression. */
  const templates = [];
  let at = 0;
  const skipTemplate = () => {
    for (; at < text.length; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '`') {
        templates.pop();
        at++;
        return;
      } else if (text.startsWith('${', at)) {
        at += 2;
        templates[templates.length - 1] = 0;
        return;
      }
    }
  };
  while (at < text.length) {
    const before = tokens.at(-1)?.text;
    if (
      !isWgsl &&
      text[at] === '/' &&
      !/^\/[/*]/.test(text.slice(at, at + 2)) &&
      beforeValue.test(before ?? ';')
    ) {
      const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;
      regex.lastIndex = at;
      const [found] = regex.exec(text) ?? [];
      if (found) {
        tokens.push({ kind: 'regex', text: found, at });
        at += found.length;
        continue;
      }
    }
    tokenOf.lastIndex = at;
    const match = tokenOf.exec(text);
    const { number, word, operator } = match.groups;
    const start = at;
    at += match[0].length;
    if (match[0] === '`') {
      templates.push(0);
      tokens.push({ kind: 'string', text: '`', at: start });
      skipTemplate();
      continue;
    }
    if (/^['"]/.test(match[0])) tokens.push({ kind: 'string', text: match[0], at: start });
    const kind = number ? 'number' : word ? 'word' : operator ? 'operator' : undefined;
    if (!kind) continue;
    tokens.push({ kind, text: match[0], at: start });
    if (templates.length === 0) continue;
    if (operator === '{') templates[templates.length - 1]++;
    if (operator === '}' && --templates[templates.length - 1] < 0) skipTemplate();
  }
  return tokens;
}

/** All changes of one token, in the order of the text: `at`, `before`, `after`. */
export function changesOf(text, isWgsl) {
  const tokens = tokensOf(text, isWgsl);
  const changes = [];
  const add = (at, before, after) => changes.push({ at, before, after });
  tokens.forEach(({ kind, text: token, at }, i) => {
    const [before, after] = [tokens[i - 1]?.text ?? ';', tokens[i + 1]?.text ?? ';'];
    if (kind === 'operator') {
      const to = swapped[token] ?? (isWgsl && ofWgsl[token]);
      // between two values; the brackets of types have no spaces around them
      const isBinary = /\s/.test(text[at - 1]) && /\s/.test(text[at + token.length]);
      if (to && (isBinary || /^(\+\+|--)$/.test(token))) add(at, token, to);
      if (token === '!' && beforeValue.test(before)) add(at, token, '');
      // the number of a binding is free: the host reads it from the text
    } else if (
      kind === 'number' &&
      !tokens[i - 2]?.text.startsWith('@') &&
      /^(0x[\da-f]+|\d+)[ui]?$/i.test(token)
    ) {
      const digits = token.replace(/[ui]$/i, '');
      const next = digits.startsWith('0x')
        ? `0x${(Number(digits) + 1).toString(16)}`
        : String(Number(digits) + 1);
      add(at, token, next + token.slice(digits.length));
    } else if (kind === 'word' && Object.hasOwn(words, token)) {
      const isCall = /^(min|max)$/.test(token);
      const ofMath = isWgsl ? before !== '.' : before === '.' && tokens[i - 2]?.text === 'Math';
      if (isCall ? after === '(' && ofMath : after !== ':' || before === '?') add(at, token, words[token]);
    }
  });
  // a statement that is nothing but a call, on a line of its own
  for (const { 0: line, index } of text.matchAll(
    /^[ \t]*(?:await )?[\w$#.]+(?:!|\?)?(?:\.[\w$#]+)*\(.*\);$/gm,
  )) {
    const at = index + line.search(/\S/);
    const isCode = tokens.some((token) => token.at === at && token.kind === 'word');
    if (isCode && !/^\s*(return|throw|if|for|while|super|switch)\b/.test(line))
      add(at, text.slice(at, index + line.length), '');
  }
  return changes.sort((a, b) => a.at - b.at);
}

export function placeOf(text, at) {
  const lines = text.slice(0, at).split('\n');
  return { line: lines.length, column: lines.at(-1).length + 1 };
}

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One change for each line that has some, in an order of the seed's: `file`, `line`, `column`, `at`, `before`, `after`. */
export function mutantsOf(files, seed) {
  const random = seeded(seed);
  const mutants = files.flatMap(({ file, text }) => {
    const byLine = new Map();
    for (const change of changesOf(text, file.endsWith('.wgsl'))) {
      const { line } = placeOf(text, change.at);
      byLine.set(line, [...(byLine.get(line) ?? []), change]);
    }
    return [...byLine.values()].map((changes) => {
      const change = changes[Math.floor(random() * changes.length)];
      return { file, ...placeOf(text, change.at), ...change };
    });
  });
  return mutants
    .map((mutant) => ({ mutant, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ mutant }) => mutant);
}
