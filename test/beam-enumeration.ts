/** Right answers of a beam search by enumeration: every label sequence, every text, each kind of knowledge by its definition. */

/** A small problem with all that is known of its texts. */
export interface Situation {
  readonly classes: readonly string[];
  readonly blank: number;
  readonly separator: number | null;
  /** n-grams by their words, with a space between them: log10 and back-off. */
  readonly grams: ReadonlyMap<string, readonly [number, number]> | undefined;
  readonly order: number;
  readonly units: 'words' | 'tokens';
  readonly lexicon:
    | {
        readonly open: boolean;
        readonly unlisted: number;
        readonly words: readonly { word: string; spellings?: number[][]; weight: number }[];
      }
    | undefined;
  readonly hotwords: readonly (readonly [string, number])[];
  readonly weights: { readonly alpha: number; readonly beta: number; readonly unknown: number };
}

type Random = () => number;
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const between = (random: Random, low: number, high: number) => low + (high - low) * random();

const addAll = (values: readonly number[]) => {
  const largest = Math.max(...values);
  if (largest === -Infinity) return -Infinity;
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
};

/** Words of one or two letters, and one of three. */
const someWords = ['a', 'b', 'ab', 'ba', 'aa', 'bb', 'aab'];

export function situation(random: Random): Situation {
  const layouts = [
    { tokens: ['|', 'a', 'b'], separator: '|' },
    { tokens: ['|', 'a', 'b'], separator: '|' },
    { tokens: ['▁', 'a', '▁a'], separator: null },
    { tokens: ['▁a', 'b', '▁b'], separator: null },
    { tokens: ['ab', 'a', 'b'], separator: null },
  ];
  const { tokens, separator } = pick(random, layouts);
  const blank = Math.floor(random() * 4);
  const classes = tokens.toSpliced(blank, 0, '');
  const labels = [0, 1, 2, 3].filter((label) => label !== blank);
  const letters = labels.filter((label) => classes[label] !== separator);
  const hasLm = random() < 0.6;
  const isSpelled = random() < 0.35;
  const isTokens = hasLm && !isSpelled && random() < 0.3;
  const hasLexicon = isSpelled || random() < 0.4;
  const open = random() < 0.5 && !(isSpelled && separator === null);
  const known = someWords.filter(() => random() < 0.6);
  if (known.length === 0) known.push('a');
  const units = isTokens ? labels.map((label) => classes[label]!).filter(() => random() < 0.85) : known;
  if (units.length === 0) units.push(classes[labels[0]!]!);
  const spelling = () => Array.from({ length: 1 + Math.floor(random() * 2) }, () => pick(random, letters));
  // one spelling may begin as the other does, so that labels can be cut into words in several ways
  const spellings = () => {
    const first = spelling();
    return [first, random() < 0.5 ? [...first, pick(random, letters)] : spelling()];
  };
  const words = someWords
    .filter(() => random() < 0.6)
    .map((word) => ({
      ...{ word, weight: random() < 0.3 ? between(random, -1, 1) : 0 },
      ...(isSpelled && { spellings: random() < 0.5 ? spellings() : [spelling()] }),
    }));
  const isLexicon = hasLexicon && words.length > 0;
  return {
    ...{ classes, blank, order: 3, units: isTokens ? 'tokens' : 'words' },
    separator: separator === null ? null : classes.indexOf(separator),
    grams: hasLm ? gramsOf(random, units) : undefined,
    lexicon: isLexicon ? { open, unlisted: open ? between(random, -2, 0) : 0, words } : undefined,
    hotwords: random() < 0.4 ? hotwordsOf(random, tokens.join('').includes('b')) : [],
    weights: {
      alpha: between(random, 0.2, 1.5),
      beta: between(random, -0.5, 1.5),
      unknown: between(random, -3, 0),
    },
  };
}

/** A model of which n-grams are left out at random, those within others, too. */
function gramsOf(random: Random, words: readonly string[]) {
  const grams = new Map<string, [number, number]>();
  const log = () => Math.round(-100 * between(random, 0.1, 2)) / 100;
  const backoff = () => (random() < 0.5 ? Math.round(-100 * between(random, 0, 0.8)) / 100 : 0);
  for (const word of ['<s>', '</s>', ...(random() < 0.8 ? ['<unk>'] : []), ...words])
    grams.set(word, [word === '<s>' ? -99 : log(), word === '</s>' ? 0 : backoff()]);
  const firsts = ['<s>', ...words];
  for (let i = 0; i < 8; i++)
    grams.set(`${pick(random, firsts)} ${pick(random, [...words, '</s>'])}`, [log(), backoff()]);
  for (let i = 0; i < 6; i++)
    grams.set(`${pick(random, firsts)} ${pick(random, words)} ${pick(random, [...words, '</s>'])}`, [
      log(),
      0,
    ]);
  return grams;
}

function hotwordsOf(random: Random, hasB: boolean): [string, number][] {
  const phrases = hasB ? ['a', 'b', 'ab', 'a b', 'b a', 'a a b', 'ba'] : ['a', 'aa', 'a a', 'aa a'];
  return phrases.filter(() => random() < 0.4).map((phrase) => [phrase, between(random, -1, 3)]);
}

export function arpaOf(grams: ReadonlyMap<string, readonly [number, number]>): string {
  const orders = [1, 2, 3].map((n) => [...grams].filter(([words]) => words.split(' ').length === n));
  const counts = orders.map((list, i) => `ngram ${i + 1}=${list.length}\n`).join('');
  const sections = orders.map(
    (list, i) =>
      `\\${i + 1}-grams:\n${list.map(([words, [log, backoff]]) => `${log}\t${words}${backoff === 0 ? '' : `\t${backoff}`}\n`).join('')}`,
  );
  return `\\data\\\n${counts}\n${sections.join('\n')}\n\\end\\\n`;
}

/** log10 of a sentence, and its unknown words. */
function modelOf({ grams, order }: Situation, words: readonly string[]): [log10: number, unknown: number] {
  const known = (word: string) => (grams!.has(word) ? word : '<unk>');
  const history = ['<s>'];
  let sum = 0;
  for (const word of [...words.map(known), '</s>']) {
    let context = history.slice(-(order - 1));
    while (context.length > 0 && !grams!.has([...context, word].join(' '))) {
      sum += grams!.get(context.join(' '))?.[1] ?? 0;
      context = context.slice(1);
    }
    sum += grams!.get([...context, word].join(' '))?.[0] ?? -100;
    history.push(word);
  }
  return [sum, words.filter((word) => known(word) === '<unk>').length];
}

function worthOf(words: readonly string[], hotwords: Situation['hotwords']): number {
  let sum = 0;
  for (let at = 0; at < words.length; ) {
    const fits = hotwords.filter(([phrase]) => `${words.slice(at).join(' ')} `.startsWith(`${phrase} `));
    const [longest] = fits.sort(([a], [b]) => b.length - a.length);
    sum += longest ? longest[1] : 0;
    at += longest ? longest[0].split(' ').length : 1;
  }
  return sum;
}

/** ln P of a label sequence. */
function forward(logs: readonly (readonly number[])[], labels: readonly number[], blank: number): number {
  const states = [blank, ...labels.flatMap((label) => [label, blank])];
  let now = states.map((_, s) => (s === 0 ? 0 : -Infinity));
  for (const [t, row] of logs.entries()) {
    now = states.map((label, s) => {
      const ways = [now[s]!, s > 0 ? now[s - 1]! : -Infinity];
      if (s > 1 && label !== blank && label !== states[s - 2]) ways.push(now[s - 2]!);
      return t === 0 ? (s < 2 ? row[label]! : -Infinity) : addAll(ways) + row[label]!;
    });
  }
  return addAll(now.slice(-2));
}

function* sequences(labels: readonly number[], most: number): Generator<number[]> {
  yield [];
  if (most === 0) return;
  for (const rest of sequences(labels, most - 1)) for (const label of labels) yield [label, ...rest];
}

const textOf = ({ classes, separator }: Situation, labels: readonly number[]) =>
  labels
    .map((label) => (label === separator ? ' ' : classes[label]!.replaceAll('▁', ' ')))
    .join('')
    .split(' ')
    .filter((word) => word !== '');

/** All word sequences that labels spell: a listed word by its spellings, and where the lexicon is open what is none as its letters. */
function spelled(one: Situation, labels: readonly number[]): string[][] {
  const { separator, lexicon } = one;
  const found: string[][] = [];
  const isListed = (part: readonly number[]) =>
    lexicon!.words.some(({ spellings }) => spellings!.some((spelling) => spelling.join() === part.join()));
  const go = (at: number, words: string[], isFree: boolean) => {
    let from = at;
    while (separator !== null && labels[from] === separator) from++;
    if (from === labels.length) {
      found.push(words);
      return;
    }
    if (!isFree && separator !== null && from === at) return;
    for (const { word, spellings } of lexicon!.words)
      for (const spelling of new Set(spellings!.map(String))) {
        const own = spelling.split(',').map(Number);
        if (own.every((label, i) => labels[from + i] === label))
          go(from + own.length, [...words, word], false);
      }
    if (!lexicon!.open) return;
    const end = labels.indexOf(separator!, from);
    const part = labels.slice(from, end < 0 ? labels.length : end);
    if (!isListed(part)) go(from + part.length, [...words, `?${part.join()}`], false);
  };
  go(0, [], true);
  return found;
}

/** What each text is worth, descending. */
export function enumerated(
  one: Situation,
  logs: readonly (readonly number[])[],
): { text: string; ctc: number; total: number }[] {
  const { classes, blank, separator, grams, units, lexicon, hotwords, weights } = one;
  const all = classes.map((_, label) => label).filter((label) => label !== blank);
  const isSpelled = lexicon?.words[0]?.spellings !== undefined;
  const isTokens = grams !== undefined && units === 'tokens';
  const texts = new Map<string, { words: string[]; labels: number[]; logs: number[] }>();
  for (const labels of sequences(all, logs.length)) {
    const log = forward(logs, labels, blank);
    if (log === -Infinity) continue;
    const readings = isSpelled ? spelled(one, labels) : [textOf(one, labels)];
    for (const words of new Map(readings.map((words) => [words.join(' '), words])).values()) {
      const key = isTokens ? labels.join() : words.join(' ');
      const there = texts.get(key);
      if (there) there.logs.push(log);
      else texts.set(key, { words, labels, logs: [log] });
    }
  }
  const listed = new Map(lexicon?.words.map(({ word, weight }) => [word, weight]));
  const found = [...texts.values()].flatMap(({ words, labels, logs: ways }) => {
    if (lexicon && !lexicon.open && words.some((word) => !listed.has(word))) return [];
    const ctc = addAll(ways);
    const count = isTokens ? labels.length : words.length;
    const inModel = isTokens ? labels.map((label) => (label === separator ? '|' : classes[label]!)) : words;
    const [log10, unknown] = grams ? modelOf(one, inModel) : [0, 0];
    const listing = lexicon
      ? words.reduce((sum, word) => sum + (listed.get(word) ?? lexicon.unlisted), 0)
      : 0;
    const known =
      weights.alpha * Math.LN10 * (log10 + weights.unknown * unknown) +
      weights.beta * count +
      listing +
      worthOf(words, hotwords);
    const shown = words.map((word) =>
      word.startsWith('?') ? textOf(one, word.slice(1).split(',').map(Number)).join('') : word,
    );
    return [{ text: shown.join(' '), ctc, total: ctc + known }];
  });
  found.sort((a, b) => b.total - a.total);
  // words that are listed and the same ones that are not read alike: the better of both counts
  return isSpelled
    ? found.filter(({ text }, i) => found.findIndex((other) => other.text === text) === i)
    : found;
}
