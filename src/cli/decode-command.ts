import type { CtcReaderOptions } from '../api/contracts.js';
import type { BeamReading } from '../entries/lm.js';
import { CtcDecoder } from '../entries/node.js';
import { readingOf } from '../entries/text.js';
import type { Emissions } from '../files/emissions.js';
import type { RunOptions } from '../problem/types.js';
import { isBeam } from './beam-job.js';
import { ImpossibleTarget } from './failure.js';
import { Knowing } from './knowing.js';
import type { Result } from './result.js';
import { type Recording, type Transcriber, timed, transcribe } from './transcribe.js';

export const usage = `usage: webgpu-ctc decode EMISSIONS --vocab VOCAB [--lm MODEL] [-o FILE]… [options]
       webgpu-ctc decode --manifest JOBS.jsonl [--jobs N] [--shard I/N] [options]`;

export const help = `${usage}

What was spoken, and when: the best class of each frame, repeats merged, blanks left out (greedy decoding).

  webgpu-ctc decode talk.npy --vocab vocab.json
  webgpu-ctc decode talk.npy --vocab vocab.json -o talk.srt -o talk.json
  webgpu-ctc decode talk.npy --vocab vocab.json --lm model.lm --hotwords names.txt

With any of these it is a beam search for the text that is best by the emissions and by what is known:

--lm MODEL       an n-gram model of words: an ARPA file, packed or not, or what webgpu-ctc lm build has made of one
--units tokens   its words are tokens of the vocabulary
--lexicon FILE   a word a line, and if you like a tab and what it adds, in nats; no others are read, unless with --open-lexicon
--hotwords FILE  a phrase a line, and if you like a tab and what it adds, in nats; 10 by default
--nbest N        how many texts; 1 by default. .json has them all, the other formats the best. --width N: texts that are kept
                 after each frame; 100 by default
--alpha A, --beta B, --unknown U
                 best is ln P of the text by the emissions + A · ln P by the model + B for each word; 0.5 and 1.5 by default.
                 U is added to the log10 of words that the model does not know, -10 by default. webgpu-ctc lm tune finds A and B

Without -o the text on stdout, of several one a line, the best first. EMISSIONS, --tensor, --item, --length, --layout, --input,
--unpacked-mb, -o, --force, --vocab, --added-tokens, --blank, --delimiter, --language, --frame-ms, --split, --device, --quiet,
--json, --manifest, --jobs, --shard and the exit codes are those of webgpu-ctc align --help, jobs without a text, and no cue
for a line of it; exit code 3: no text of the lexicon is possible.`;

/** On one device: what reads greedily, and what knows more, made when it is asked. */
class Readers {
  readonly options: CtcReaderOptions;
  readonly greedy: CtcDecoder;
  readonly #knowing: Knowing;

  constructor(options: CtcReaderOptions, greedy: CtcDecoder, knowing: Knowing) {
    this.options = options;
    this.greedy = greedy;
    this.#knowing = knowing;
  }

  get backend() {
    return this.greedy.backend;
  }

  destroy(): void {
    this.greedy.destroy();
    this.#knowing.destroy();
  }
}

const decodes = (knowing: Knowing): Transcriber<Readers> => ({
  ...timed,
  takes: 'knowledge',
  create: async (options) => new Readers(options, await CtcDecoder.create(options), knowing),
  print: ({ text, nbest }) => nbest?.map((reading) => reading.text).join('\n') ?? text,
  async prepare(recording) {
    const { job, emissions, vocabulary } = recording;
    if (isBeam(job)) return searching(recording, knowing);
    const { frameSeconds, language } = job;
    return {
      async run({ greedy }, options) {
        const { blank } = vocabulary;
        const { labels, scores: each } = await greedy.run({ ...emissions.scores, blank }, options);
        const reading = readingOf(labels, each, vocabulary, { frameSeconds, language });
        const score = each.reduce((sum, one) => sum + one, 0);
        return { score, duration: emissions.frames * frameSeconds, language, ...reading };
      },
    };
  },
});

export const run = (argv: string[], signal: AbortSignal) => transcribe(argv, signal, decodes(new Knowing()));

/** The best text of a beam search, with the times of its best path. */
async function searching(recording: Recording, knowing: Knowing) {
  const { job, emissions, vocabulary, signal, tell } = recording;
  const { frameSeconds, language } = job;
  const known = await knowing.of(job, vocabulary, signal);
  for (const note of known.notes) tell(note);
  return {
    async run({ options: device }: Readers, options: RunOptions): Promise<Result> {
      const { readings, notes } = await known.run(emissions, device, options);
      for (const note of notes) tell(`${job.lm}: ${note}`);
      const [best] = readings;
      if (!best)
        throw new ImpossibleTarget(
          `${job.emissions}: expected a text of the lexicon in ${emissions.frames} frames, got none that is possible`,
        );
      const [labels, scores] = pathOf(best, emissions, vocabulary.blank);
      return {
        ...readingOf(labels, scores, vocabulary, { frameSeconds, language }),
        ...{ text: best.text, score: best.ctc, duration: emissions.frames * frameSeconds, language },
        ...{ nbest: readings, frameSeconds, notes: [...known.notes, ...notes] },
      };
    },
  };
}

/** The class of each frame on the path of a reading, and its log-probability; of blanks nobody asks. */
function pathOf(
  { labels, starts, ends }: BeamReading,
  { data, kind, frames, classes }: Emissions,
  blank: number,
): [labels: Int32Array, scores: Float64Array] {
  const path = new Int32Array(frames).fill(blank);
  const scores = new Float64Array(frames);
  for (const [i, label] of labels.entries())
    for (let t = starts[i]!; t < ends[i]!; t++) {
      const row = data.subarray(t * classes, (t + 1) * classes);
      const largest = kind === 'logits' ? row.reduce((a, b) => Math.max(a, b)) : 0;
      const sum = kind === 'logits' ? row.reduce((a, b) => a + Math.exp(b - largest), 0) : 1;
      path[t] = label;
      scores[t] = row[label]! - largest - Math.log(sum);
    }
  return [path, scores];
}
