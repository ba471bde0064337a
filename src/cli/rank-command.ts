import { extname } from 'node:path';
import { CtcRanker, type CtcReaderOptions, type Ranking } from '../entries/node.js';
import { tokenise, type Vocabulary } from '../entries/text.js';
import { STAR } from '../problem/star.js';
import { jsonNumber } from './case.js';
import { ImpossibleTarget, InputError } from './failure.js';
import { readText } from './input.js';
import type { Job } from './job.js';
import { type Transcriber, transcribe } from './transcribe.js';

export const usage = `usage: webgpu-ctc rank EMISSIONS --vocab VOCAB --candidates FILE [-o FILE]… [options]
       webgpu-ctc rank --manifest JOBS.jsonl [--jobs N] [--shard I/N] [options]`;

export const help = `${usage}

Which of many texts was spoken, if any: the exact probability of each, whatever its words are held apart by.

  webgpu-ctc rank talk.npy --vocab vocab.json --candidates commands.txt
  webgpu-ctc rank talk.npy --vocab vocab.json --candidates commands.txt -o talk.tsv

--candidates FILE  a text a line, spelled as webgpu-ctc align spells; lines without a text are passed over
--prefixes         also how likely what is said begins with each text, in whole words: prefix, -ln of it
-o FILE            .json or .tsv, several times if you like; without it JSON on stdout. -.tsv is on stdout

The best come first. Of each text: probability among the texts; loss, -ln of its probability among all there are;
distance, how far that is behind the text that is read freely, in nats. Of all: mass, the probability that it
is any of them.

EMISSIONS, --tensor, --item, --length, --layout, --input, --unpacked-mb, --force, --vocab, --added-tokens, --blank, --delimiter,
--language, --device, --quiet, --json, --manifest, --jobs, --shard and the exit codes are those of webgpu-ctc align --help,
jobs with "candidates" in place of a text; exit code 3: no text fits.`;

/** Rankers of one device, one for each class between words and for each question. */
class Rankers {
  readonly #options: CtcReaderOptions;
  readonly #first: CtcRanker;
  readonly #others = new Map<string, Promise<CtcRanker>>();

  static async create(options: CtcReaderOptions): Promise<Rankers> {
    return new Rankers(options, await CtcRanker.create(options));
  }

  private constructor(options: CtcReaderOptions, first: CtcRanker) {
    this.#options = options;
    this.#first = first;
  }

  get backend() {
    return this.#first.backend;
  }

  async of(delimiter: number | undefined, prefixes = false): Promise<CtcRanker> {
    if (delimiter === undefined && !prefixes) return this.#first;
    const key = `${delimiter} ${prefixes}`;
    const known = this.#others.get(key) ?? CtcRanker.create({ ...this.#options, delimiter, prefixes });
    this.#others.set(key, known);
    return known;
  }

  destroy(): void {
    this.#first.destroy();
    for (const other of this.#others.values()) other.then((ranker) => ranker.destroy());
  }
}

/** Texts, best first, and what is read freely. */
interface Ranked {
  readonly mass: number;
  readonly free: { readonly text: string; readonly loss: number };
  readonly texts: readonly {
    readonly text: string;
    readonly probability: number;
    readonly loss: number;
    readonly distance: number;
    readonly prefix?: number;
  }[];
}

const ranks: Transcriber<Rankers, Ranked> = {
  takes: 'candidates',
  create: (options) => Rankers.create(options),
  print: (result) => JSON.stringify(jsonOf(result), null, 2),
  json: jsonOf,
  content: (path, _, result) =>
    extname(path).toLowerCase() === '.tsv' ? tsvOf(result) : `${JSON.stringify(jsonOf(result), null, 2)}\n`,
  sure({ mass, texts: [best] }) {
    const { text, probability, loss, distance } = best!;
    return {
      text: `'${text}': ${probability.toFixed(2)} among the candidates, of which any is it by ${mass.toFixed(2)}, ${distance.toFixed(1)} nats behind what is read freely`,
      report: {
        best: text,
        loss: rounded(loss),
        probability: rounded(probability),
        mass: rounded(mass),
        distance: rounded(distance),
      },
    };
  },
  async prepare({ job, emissions: { scores, frames }, vocabulary, signal }) {
    const texts = await textsOf(job, vocabulary, signal);
    const candidates = texts.map(({ labels }) => labels);
    return {
      labels: candidates.reduce((most, { length }) => Math.max(most, length), 0),
      text: `${texts.length} candidates`,
      async run(rankers, options) {
        const { blank, delimiter, marksWords } = vocabulary;
        const ranker = await rankers.of(marksWords ? undefined : delimiter, job.prefixes);
        const { rankings } = await ranker.run({ ...scores, candidates, blank }, options);
        const ranking = rankings[0]!;
        if (ranking.losses.some(Number.isNaN))
          throw new InputError(
            `${job.emissions}: expected candidates of known losses, got scores that are no numbers`,
          );
        if (ranking.best < 0)
          throw new ImpossibleTarget(
            `${job.emissions}: expected a path for one of the candidates, got none in ${frames} frames`,
          );
        return rankedOf(ranking, texts, vocabulary);
      },
    };
  },
};

export const run = (argv: string[], signal: AbortSignal) => transcribe(argv, signal, ranks);

interface Candidate {
  readonly text: string;
  readonly labels: readonly number[];
}

/** The texts of a file and how they are spelled. @throws InputError naming the line of one that cannot be. */
async function textsOf(
  { candidates }: Job,
  vocabulary: Vocabulary,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const lines = (await readText(candidates!, signal)).split(/\r\n|[\n\r\u2028\u2029]/);
  const texts = lines.flatMap((line, i): Candidate[] => {
    const text = line.trim();
    if (text === '') return [];
    const { targets } = tokenise(text, vocabulary);
    const labels = Array.from(targets);
    if (labels.length === 0 || labels.includes(STAR))
      throw new InputError(
        `${candidates}:${i + 1}: expected a text that the vocabulary can spell, got ${text}`,
      );
    return [{ text, labels }];
  });
  if (texts.length === 0) throw new InputError(`${candidates}: expected a text in some line, got none`);
  return texts;
}

function rankedOf(
  { losses, probabilities, mass, distances, free, prefixLosses }: Ranking,
  candidates: readonly Candidate[],
  vocabulary: Vocabulary,
): Ranked {
  const texts = candidates.map(({ text }, k) => ({
    text,
    probability: probabilities[k]!,
    loss: losses[k]!,
    distance: distances[k]!,
    ...(prefixLosses && { prefix: prefixLosses[k]! }),
  }));
  const read = Array.from(free.labels, (label) => vocabulary.read(label))
    .join('')
    .trim();
  // those that are impossible are as bad as each other
  texts.sort((a, b) => (a.loss === b.loss ? 0 : a.loss - b.loss));
  return { mass, free: { text: read, loss: free.loss }, texts };
}

/** 0.34 rather than 0.34000000000000002; what is not finite as a word. */
const rounded = (value: number) => jsonNumber(Number(value.toPrecision(7)));

function jsonOf({ mass, free, texts }: Ranked) {
  return {
    mass: rounded(mass),
    free: { text: free.text, loss: rounded(free.loss) },
    candidates: texts.map(({ text, ...numbers }) => ({
      text,
      ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, rounded(value)])),
    })),
  };
}

function tsvOf({ texts }: Ranked): string {
  const rows = texts.map(({ text, ...numbers }) => [text, ...Object.values(numbers).map(rounded)].join('\t'));
  return `${[Object.keys(texts[0]!).join('\t'), ...rows].join('\n')}\n`;
}
