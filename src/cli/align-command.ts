import { CtcAligner } from '../entries/node.js';
import { type Transcript, tokenise, type Vocabulary, wordsOf } from '../entries/text.js';
import { formatOf, readCues, type TimedTextFormat, timedTextFormats } from '../files/formats.js';
import { requiredFrames } from '../problem/targets.js';
import { ImpossibleTarget, InputError, inputError } from './failure.js';
import { readText } from './input.js';
import type { Job } from './job.js';
import { jsonOf } from './result.js';
import { type Transcriber, timed, transcribe } from './transcribe.js';

export const usage = `usage: webgpu-ctc align EMISSIONS --vocab VOCAB (--text TEXT | --text-file FILE) [-o FILE]… [options]
       webgpu-ctc align --manifest JOBS.jsonl [--jobs N] [--shard I/N] [options]`;

export const help = `${usage}

When each word of a text was spoken: the best path of the text through what a CTC model gave for a recording.

  webgpu-ctc align talk.npy --vocab vocab.json --text-file talk.txt -o talk.srt -o talk.TextGrid

EMISSIONS      .npy, .npz or .safetensors, [T, C], [1, T, C] or [T, 1, C]; FILE.npz:NAME, or --tensor NAME,
               where there are several. - is stdin, for one input. Rows at the end that say nothing are cut off.
--item N       one of a batch, from 0. --length N: its frames. --layout ORDER: TC, TNC, NTC, or CT and NCT, classes before frames
--input KIND   logits, log-probs or probs; by default the numbers show it
--unpacked-mb  what a tensor of a .npz may unpack to; by default 64 times the file, and at least 64 MiB
-o FILE        .srt, .vtt, .TextGrid, .ctm or .json, several times if you like; without it JSON on stdout. -.srt is on
               stdout. --force: overwrite files that exist
--vocab FILE   the model's vocab.json or tokenizer.json, tokens.txt, a dictionary of a token a line, or .vocab;
               --added-tokens FILE: the added_tokens.json beside a vocab.json
--blank ID     class of the blank, or first or last; auto, the default, takes what the vocabulary calls <blank>,
               else <pad>. --delimiter TOKEN: what stands between words; by default a space, else |
--language TAG of the text, such as ja: where its words begin. Chooses in a vocabulary with one for each, too
--frame-ms N   from one frame to the next, 20 by default
--split UNIT   word, char or line: what a cue of .srt and .vtt (else a caption) holds; word or char: a line of .ctm.
               A --text-file of .srt or .vtt keeps its cues, with new times; .ctm is read too. --tier NAME: of a .TextGrid
--star WORD    a word of the text, such as '*', that stands for anything spoken, as what cannot be spelled does by itself
--free ENDS    start, end or start,end: anything may be spoken before or after the text
--tags HOW     said or heard: whether [tags] and <tags> are spoken as written, or something else is heard there
--device NAME  auto, gpu or cpu. --quiet, -q: nothing on stderr but errors
--json         one JSON object on stdout, also of an error, and nothing on stderr

--manifest     a job a line: { "id", "emissions", "text" or "textFile", "output": a path or an array of paths }, and
               options as "frameMs", else those given here. Paths are relative to the manifest; - is stdin.
               A line of JSON on stdout for each: { "id", "line", "status": "done", "skipped" or "failed", … }.
               Jobs whose outputs are there as they wrote them are skipped: start again what was stopped. Whether an input
               was changed since is not looked at: remove the outputs then, or give --force. Other files
               are left alone, and their jobs fail. --force does all again and overwrites, but nothing that is read.
--jobs N       jobs in flight, 4 by default. --shard I/N: every N-th line from the I-th on, for machine I of N

exit codes: 0 done, 1 an internal error, 2 wrong usage or input, 3 the text does not fit, 4 no WebGPU with
--device gpu, 130 interrupted (143 by SIGTERM), 141 the reader of stdout left. With a manifest 3 if nothing worse than
that failed, else 2`;

/** ln of a probability: a frame whose class on the path has less says something else. In a right alignment hardly one does. */
const unlikely = Math.log(0.05);

const aligns: Transcriber<CtcAligner> = {
  ...timed,
  takes: 'text',
  create: (options) => CtcAligner.create(options),
  print: (result) => JSON.stringify(jsonOf(result), null, 2),
  async prepare({ job, emissions, vocabulary, signal }) {
    const transcript = await transcriptOf(job, vocabulary, signal);
    const { frames, frameSeconds } = { ...emissions, ...job };
    // subtitles stay the cues that they are
    const isSubtitles = transcript.format === 'srt' || transcript.format === 'vtt';
    const cuesKept = job.split === 'line' || (job.split === undefined && isSubtitles);
    return {
      labels: transcript.targets.length,
      text: transcript.format && `${transcript.format}, ${transcript.cues.length} cues`,
      async run(aligner, options) {
        const { targets } = transcript;
        const { blank } = vocabulary;
        const path = await aligner.run({ ...emissions.scores, targets, blank }, options);
        if (path.score === -Infinity) throw new ImpossibleTarget(whyImpossible(job, transcript, frames));
        if (!Number.isFinite(path.score))
          throw new InputError(`${job.emissions}: expected a path of a finite score, got ${path.score}`);
        const timed = wordsOf(transcript, path, { frameSeconds });
        return {
          text: transcript.words.join(' '),
          score: path.score,
          duration: frames * frameSeconds,
          ...(cuesKept && { cues: transcript.cues }),
          language: job.language,
          mismatched: path.scores.filter((score) => score < unlikely).length,
          ...timed,
        };
      },
    };
  },
};

export const run = (argv: string[], signal: AbortSignal) => transcribe(argv, signal, aligns);

/** A text to align. */
interface Written {
  readonly text: string;
  /** How many words each line of each of its cues has; a text without cues is one for each of its lines. */
  readonly cues: readonly (readonly number[])[];
  /** What it was read as, where it is more than text. */
  readonly format?: TimedTextFormat | undefined;
}

const linesOf = (text: string): string[] => text.split(/\r\n|[\n\r\u2028\u2029]/);

const wordsIn = (text: string): number => text.match(/\S+/gu)?.length ?? 0;

/** Subtitles, a TextGrid and a CTM are known by their name, the first two also by what is in them: taken for text, their times would be words. */
async function readWritten({ text, textFile, tier }: Job, signal: AbortSignal): Promise<Written> {
  const written = textFile === undefined ? text! : await readText(textFile, signal);
  const named = /\.(srt|vtt|TextGrid|ctm)$/i.exec(textFile ?? '')?.[1];
  const format =
    timedTextFormats.find((one) => one.toLowerCase() === named?.toLowerCase()) ?? formatOf(written);
  if (tier !== undefined && format !== 'TextGrid')
    throw new InputError(
      `${textFile ?? 'text'}: expected a TextGrid with --tier ${tier}, got ${format ?? 'text'}`,
    );
  if (format === undefined) return { text: written, cues: linesOf(written).map((line) => [wordsIn(line)]) };
  const cues = readCues(format, written, { tier });
  return {
    ...{ text: cues.map(({ text }) => text).join('\n'), format },
    cues: cues.map(({ text }) => linesOf(text).map(wordsIn)),
  };
}

export async function transcriptOf(
  job: Job,
  vocabulary: Vocabulary,
  signal: AbortSignal,
): Promise<Transcript & Pick<Written, 'cues' | 'format'>> {
  const { textFile, star, free, tags } = job;
  const name = textFile ?? 'text';
  const transcript = await (async () => {
    try {
      const { text, ...rest } = await readWritten(job, signal);
      const options = { freeStart: free.includes('start'), freeEnd: free.includes('end') };
      return { ...tokenise(text, vocabulary, { ...options, star, tags }), ...rest };
    } catch (error) {
      throw inputError(name, error);
    }
  })();
  if (!transcript.spelled?.some((whole) => whole !== false))
    throw new InputError(
      `${name}: expected words that the vocabulary can spell, got ${transcript.words.slice(0, 5).join(' ') || 'none'}`,
    );
  return transcript;
}

function whyImpossible({ emissions }: Job, { targets }: Transcript, frames: number): string {
  const needed = requiredFrames(targets);
  return needed > frames
    ? `${emissions}: expected at least ${needed} frames for the ${targets.length} labels of the text, got ${frames}`
    : `${emissions}: expected a path for the text, got only paths of probability 0`;
}
