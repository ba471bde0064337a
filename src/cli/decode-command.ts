import { CtcDecoder } from '../entries/node.js';
import { readingOf } from '../entries/text.js';
import { type Transcriber, timed, transcribe } from './transcribe.js';

export const usage = `usage: webgpu-ctc decode EMISSIONS --vocab VOCAB [-o FILE]… [options]
       webgpu-ctc decode --manifest JOBS.jsonl [--jobs N] [--shard I/N] [options]`;

export const help = `${usage}

What was spoken, and when: the best class of each frame, repeats merged, blanks left out (greedy decoding).

  webgpu-ctc decode talk.npy --vocab vocab.json
  webgpu-ctc decode talk.npy --vocab vocab.json -o talk.srt -o talk.json

Without -o the text on stdout. EMISSIONS, --tensor, --item, --length, --layout, --input, --unpacked-mb, -o, --force, --vocab,
--added-tokens, --blank, --delimiter, --language, --frame-ms, --split, --device, --quiet, --json, --manifest,
--jobs, --shard and the exit codes are those of webgpu-ctc align --help, jobs without a text, and no cue for a line of it.`;

const decodes: Transcriber<CtcDecoder> = {
  ...timed,
  takes: 'nothing',
  create: (options) => CtcDecoder.create(options),
  print: ({ text }) => text,
  async prepare({ job: { frameSeconds, language }, emissions: { scores, frames }, vocabulary }) {
    return {
      async run(decoder, options) {
        const { blank } = vocabulary;
        const { labels, scores: each } = await decoder.run({ ...scores, blank }, options);
        const reading = readingOf(labels, each, vocabulary, { frameSeconds, language });
        const score = each.reduce((sum, one) => sum + one, 0);
        return { score, duration: frames * frameSeconds, language, ...reading };
      },
    };
  },
};

export const run = (argv: string[], signal: AbortSignal) => transcribe(argv, signal, decodes);
