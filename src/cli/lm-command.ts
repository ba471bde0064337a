import { createReadStream } from 'node:fs';
import { addAbortSignal, Readable } from 'node:stream';
import { NGram } from '../entries/lm.js';
import { inputError, UsageError } from './failure.js';
import { linesOf } from './input.js';
import { nearest } from './nearest.js';
import { parse, wrongOption } from './options.js';
import { checkOutputs, writeOutputs } from './output.js';
import { print, say } from './printable.js';

export const usage = `usage: webgpu-ctc lm build MODEL -o FILE [--force] [--quiet]
       webgpu-ctc lm score MODEL SENTENCES [--quiet]`;

export const help = `${usage}

n-gram language models.

  webgpu-ctc lm build model.arpa.gz -o model.lm
  webgpu-ctc lm score model.lm sentences.txt

build  writes a model as a compact file, which loads at once, and tells its n-grams and bytes on stderr
score  the log10 probability of each line with <s> and </s>, one JSON object a line on stdout: { "text", "log10",
       "unknown", "words" }, of each word and of </s> [log10, words of the n-gram used, whether it is unknown]

MODEL              an ARPA file or a compact one, packed by gzip or not; - is stdin
SENTENCES          a text in UTF-8, a sentence a line, with spaces between the words; - is stdin
-o, --output FILE  where the compact file goes; --force overwrites it
--quiet            errors alone

exit codes: 0 done, 1 an internal error, 2 wrong usage or input, 130 interrupted, 141 the reader of stdout left`;

const kinds = ['build', 'score'] as const;

export async function run(argv: string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parse(argv, {
    output: { type: 'string', short: 'o' },
    force: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  });
  const [kind, ...files] = positionals;
  if (!kinds.includes(kind as 'build')) {
    const meant = nearest(kind ?? '', kinds);
    const hint = meant ? `; did you mean ${meant}?` : '';
    throw new UsageError(`lm: expected build or score, got ${kind ? `'${kind}'${hint}` : 'none'}`);
  }
  const { output, force, quiet } = values;
  const names = kind === 'build' ? ['a model'] : ['a model', 'sentences'];
  if (files.length !== names.length || files.includes(''))
    throw new UsageError(`lm ${kind}: expected ${names.join(' and ')}, got ${files.join(' ') || 'none'}`);
  const [model, sentences] = files as [string, string];
  if (kind === 'build') {
    if (!output) throw wrongOption('--output', 'a file', output);
    await checkOutputs([output], [model], force);
    return build(await read(model, signal, quiet), output, force, quiet);
  }
  if (output !== undefined || force)
    throw new UsageError(`--${force ? 'force' : 'output'}: expected with lm build, got lm score`);
  if (model === '-' && sentences === '-') throw new UsageError('lm score: expected stdin once, got it twice');
  return score(await read(model, signal, quiet), sentences, signal);
}

async function read(file: string, signal: AbortSignal, quiet: boolean): Promise<NGram> {
  const stream = addAbortSignal(signal, file === '-' ? process.stdin : createReadStream(file));
  try {
    const model = await NGram.read(Readable.toWeb(stream));
    if (!quiet) for (const warning of model.warnings) say(`${file}: ${warning}`);
    return model;
  } catch (error) {
    throw inputError(file, error);
  }
}

async function build(model: NGram, output: string, force: boolean, quiet: boolean): Promise<number> {
  const content = model.write();
  await writeOutputs([[output, content]], { mayReplace: () => force });
  const counts = model.counts.map((count, i) => `${count} ${i + 1}-grams`).join(', ');
  if (!quiet) say(`${output}: ${counts}, ${content.length} bytes`);
  return 0;
}

/** As many digits as the numbers of a model have. */
const rounded = (log10: number) => Number(log10.toFixed(6));

async function score(model: NGram, sentences: string, signal: AbortSignal): Promise<number> {
  for await (const line of linesOf(sentences, signal)) {
    const text = line.replace(/\r$/, '');
    const { log10, unknown, words } = model.score(text);
    const each = words.map((word) => [rounded(word.log10), word.order, word.unknown]);
    print(JSON.stringify({ text, log10: rounded(log10), unknown, words: each }));
  }
  return 0;
}
