import type { NGram } from '../entries/lm.js';
import { UsageError } from './failure.js';
import { linesOf } from './input.js';
import { readModel } from './knowing.js';
import { tune } from './lm-tune.js';
import { nearest } from './nearest.js';
import { parse, wrongOption } from './options.js';
import { checkOutputs, writeOutputs } from './output.js';
import { print, say } from './printable.js';

export const usage = `usage: webgpu-ctc lm build MODEL -o FILE [--force] [--quiet]
       webgpu-ctc lm score MODEL SENTENCES [--quiet]
       webgpu-ctc lm tune --manifest JOBS.jsonl --lm MODEL --vocab VOCAB [--json] [options]`;

export const help = `${usage}

n-gram language models.

  webgpu-ctc lm build model.arpa.gz -o model.lm
  webgpu-ctc lm score model.lm sentences.txt
  webgpu-ctc lm tune --manifest jobs.jsonl --lm model.lm --vocab vocab.json

build  writes a model as a compact file, which loads at once, and tells its n-grams and bytes on stderr
score  the log10 probability of each line with <s> and </s>, one JSON object a line on stdout: { "text", "log10",
       "unknown", "words" }, of each word and of </s> [log10, words of the n-gram used, whether it is unknown]
tune   which --alpha and --beta of webgpu-ctc decode read best: how many words are wrong with each pair, and the best pair

MODEL              an ARPA file or a compact one, packed by gzip or not; - is stdin
SENTENCES          a text in UTF-8, a sentence a line, with spaces between the words; - is stdin
-o, --output FILE  where the compact file goes; --force overwrites it
--quiet            errors alone

of tune:
--manifest         jobs with their texts, as of webgpu-ctc align, without outputs: ten minutes or more, not what is tested on
--alphas, --betas  what is tried, with commas between. Each recording is read once, with --alpha and --beta; of the --nbest
                   texts that are found, 100 by default, the best one is chosen anew for each pair
--json             one JSON object: { "alpha", "beta", "words", "wrong", "alphas", "betas", "surface": a row for each alpha }
The others are those of webgpu-ctc decode --help: --unknown, --units, --lexicon, --open-lexicon, --hotwords, --width, --vocab,
--added-tokens, --blank, --delimiter, --language, --device, and those of emissions

exit codes: 0 done, 1 an internal error, 2 wrong usage or input, 130 interrupted, 141 the reader of stdout left`;

const kinds = ['build', 'score', 'tune'] as const;

export async function run(argv: string[], signal: AbortSignal): Promise<number> {
  const named = argv.findIndex((arg) => !arg.startsWith('-'));
  if (argv[named] === 'tune') return tune(argv.toSpliced(named, 1), signal);
  const { values, positionals } = parse(argv, {
    output: { type: 'string', short: 'o' },
    force: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  });
  const [kind, ...files] = positionals;
  if (!kinds.includes(kind as 'build')) {
    const meant = nearest(kind ?? '', kinds);
    const hint = meant ? `; did you mean ${meant}?` : '';
    throw new UsageError(`lm: expected build, score or tune, got ${kind ? `'${kind}'${hint}` : 'none'}`);
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
  const model = await readModel(file, signal);
  if (!quiet) for (const warning of model.warnings) say(`${file}: ${warning}`);
  return model;
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
