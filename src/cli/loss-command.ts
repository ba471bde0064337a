import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Strategy } from '../api/contracts.js';
import type { CtcLossOptions, LossResult } from '../api/ctc-loss.js';
import { CtcLoss } from '../entries/node.js';
import { scoreKinds } from '../files/emissions.js';
import { writeNpy } from '../files/npy.js';
import { integersOf } from '../files/tensor.js';
import { strategyNames } from '../plan/strategies.js';
import type { Layout, Lengths, Reduction, Shape, Targets } from '../problem/types.js';
import { type Case, jsonNumber, parseCase } from './case.js';
import { fileOf, readTensorFile, scoresIn } from './emission-files.js';
import { exitCode, InputError, inputError, UsageError } from './failure.js';
import { readJson, readText } from './input.js';
import { choice, integer, megabytes, parse, wrongOption } from './options.js';
import { checkOutputs, writeOutputs } from './output.js';
import { print, say } from './printable.js';

export const usage = `usage: webgpu-ctc loss CASE.json… [--reduction none|sum|mean] [--device auto|gpu|cpu] [--strategy auto|step|fused|tiled]
       webgpu-ctc loss EMISSIONS --targets TARGETS [--grad OUT.npy] [options]`;

export const help = `${usage}

CTC loss and gradient, one JSON object a line on stdout, with the semantics of PyTorch's ctc_loss.

CASE.json           { "name", "loss", "grad", "device", "strategy" } for each. The file's keys: shape, logProbs,
                    targets, and optionally name, targetsLayout, inputLengths, targetLengths, blank, zeroInfinity.
                    origin, note and expected are for people; any other key is a mistake.

EMISSIONS           .npy, .npz or .safetensors, [T, C] or [T, N, C]; FILE.npz:NAME where there are several
--targets LIST      1,2,3 or a file of integers, JSON or as above: [N, S], or flat with --target-lengths
--grad OUT.npy      where the gradient goes, in the shape of the emissions: PyTorch's, with respect to logits,
                    whatever the input; without it none is computed. --force overwrites the file
--layout ORDER      TNC, the default, NTC or TC
--unpacked-mb N     that a tensor of a .npz may have; by default 64 times the file, and at least 64 MiB
--input KIND        logits, log-probs or probs; by default the numbers show it
--blank ID          class of the blank, 0 by default
--input-lengths LIST, --target-lengths LIST
                    a number for all, 40,35,1, or a file; by default all frames, all labels

--reduction NAME    none, sum or mean, the default
--device NAME       auto, gpu or cpu
--strategy NAME     auto, step, fused or tiled

exit codes: 0 done, 1 an internal error, 2 wrong usage or input, 4 no WebGPU with --device gpu, 130 interrupted,
141 the reader of stdout left`;

const ofTensors = {
  targets: { type: 'string' },
  grad: { type: 'string' },
  layout: { type: 'string' },
  input: { type: 'string' },
  blank: { type: 'string' },
  'input-lengths': { type: 'string' },
  'target-lengths': { type: 'string' },
  tensor: { type: 'string' },
  'unpacked-mb': { type: 'string' },
  force: { type: 'boolean' },
} as const;

const isTensorFile = (file: string) => /\.(npy|npz|safetensors)(:[^/\\]*)?$/i.test(file);

export async function run(argv: string[], signal: AbortSignal): Promise<number> {
  const { values, positionals: files } = parse(argv, {
    reduction: { type: 'string', default: 'mean' },
    device: { type: 'string', default: 'auto' },
    strategy: { type: 'string', default: 'auto' },
    ...ofTensors,
  });
  if (files.length === 0) throw new UsageError('loss: expected case files, got none');
  if (files.includes('')) throw wrongOption('loss', 'names of files', '');
  const options = {
    reduction: choice('--reduction', values.reduction, ['none', 'sum', 'mean']),
    device: choice('--device', values.device, ['auto', 'gpu', 'cpu']),
    strategy: choice('--strategy', values.strategy, ['auto', ...strategyNames]),
  };
  const { targets } = values;
  if (targets === undefined) {
    const tensors = files.find(isTensorFile);
    if (tensors) throw new UsageError(`--targets: expected the labels of ${tensors}, got none`);
    const stray = Object.keys(ofTensors).find((name) => name in values);
    if (stray) throw new UsageError(`--${stray}: expected with .npy, .npz or .safetensors, got case files`);
    return lossOfCases(files, options, signal);
  }
  if (files.length > 1)
    throw new UsageError(`loss: expected one file of emissions with --targets, got ${files.join(' ')}`);
  const [file] = files as [string];
  const { grad, layout, input } = values;
  const kind = input === undefined ? undefined : choice('--input', input, scoreKinds);
  const order = layout === undefined ? undefined : choice('--layout', layout, ['TNC', 'NTC', 'TC']);
  const unpacked = values['unpacked-mb'];
  const unpackedBytes = unpacked === undefined ? undefined : megabytes('--unpacked-mb', unpacked);
  const blank = values.blank === undefined ? 0 : integer('--blank', values.blank, 0);
  if (grad !== undefined) {
    if (!grad.toLowerCase().endsWith('.npy')) throw wrongOption('--grad', 'a name that ends in .npy', grad);
    const read = [fileOf(file, values.tensor)[0], targets, values['input-lengths'], values['target-lengths']];
    const inputs = read.filter((path) => path !== undefined);
    await checkOutputs([grad], inputs, values.force ?? false);
  }
  const tensor = await readTensorFile(file, values.tensor, signal, unpackedBytes);
  const { shape } = tensor;
  const lengths = (name: 'input-lengths' | 'target-lengths') =>
    values[name] === undefined ? undefined : lengthsOf(`--${name}`, values[name], signal);
  const inputLengths = await lengths('input-lengths');
  const isUsed = usedRows(shape, order, inputLengths);
  const scores = scoresIn(tensor, shape.at(-1) ?? 1, kind, isUsed);
  const { data, argument, input: found, source, tensor: key } = scores;
  say(`${source}: ${found}, [${shape.join(', ')}]`);
  const emissions = {
    data,
    shape: shape as Shape,
    ...(order !== undefined && { layout: order }),
  };
  const problem: Case = {
    name: basename(file),
    blank,
    zeroInfinity: false,
    input: {
      ...(argument === 'logits' ? { logits: emissions } : { logProbs: emissions }),
      targets: await targetsOf('--targets', targets, signal),
      inputLengths,
      targetLengths: await lengths('target-lengths'),
    },
  };
  const { grad: gradient, ...line } = await compute(file, problem, options, signal, grad !== undefined);
  const mayReplace = () => values.force ?? false;
  if (grad !== undefined) await writeOutputs([[grad, writeNpy(gradient!, shape)]], { mayReplace });
  print(JSON.stringify({ ...line, tensor: key, ...(grad !== undefined && { grad }) }));
  return 0;
}

interface Options {
  readonly reduction: 'none' | 'sum' | 'mean';
  readonly device: 'auto' | 'gpu' | 'cpu';
  readonly strategy: Strategy;
}

async function lossOfCases(files: string[], options: Options, signal: AbortSignal): Promise<number> {
  let code = 0;
  for (const file of files) {
    try {
      const { grad, name, loss, ...ran } = await compute(
        file,
        parseCase(file, await readText(file, signal)),
        options,
        signal,
        true,
      );
      print(JSON.stringify({ name, loss, grad: Array.from(grad!, jsonNumber), ...ran }));
    } catch (error) {
      // the other files are still worth their answer
      if (!(error instanceof InputError)) throw error;
      say(`webgpu-ctc: ${error.message}`);
      code = exitCode(error);
    }
  }
  return code;
}

/** With a gradient or without. */
type Computed = Partial<Pick<Whole, 'grad'>> & Omit<Whole, 'grad'>;
type Whole = LossResult<Reduction, 'logits', Shape, Float32Array>;

async function compute(
  file: string,
  { name, blank, zeroInfinity, input }: Case,
  options: Options,
  signal: AbortSignal,
  hasGradient: boolean,
) {
  try {
    const gradient = hasGradient ? 'logits' : 'none';
    const ctc = await CtcLoss.create({ ...options, blank, zeroInfinity, gradient } as CtcLossOptions);
    try {
      const { loss, grad, backend }: Computed = await ctc.run(input, { signal });
      return {
        name,
        loss: typeof loss === 'number' ? jsonNumber(loss) : Array.from(loss, jsonNumber),
        grad,
        device: backend.device,
        strategy: backend.strategy,
      };
    } finally {
      ctc.destroy();
    }
  } catch (error) {
    throw inputError(file, error);
  }
}

/** Whether a row of scores, all axes but the last as one, is within the length of its sequence. */
function usedRows(
  shape: readonly number[],
  layout: Layout = 'TNC',
  lengths: Lengths | undefined,
): (row: number) => boolean {
  if (lengths === undefined) return () => true;
  const [isNTC, inner] = [layout === 'NTC', shape.length === 3 ? shape[1]! : 1];
  return (row) => {
    const [outside, within] = [Math.floor(row / inner), row % inner];
    const [t, n] = isNTC ? [within, outside] : [outside, within];
    // lengths of a wrong count are refused where they are used
    return t < (typeof lengths === 'number' ? lengths : (lengths[n] ?? 0));
  };
}

/** `1,2,3`, or what a file holds. */
async function targetsOf(name: string, given: string, signal: AbortSignal): Promise<Targets> {
  if (/^\s*\d+(\s*,\s*\d+)*\s*$/.test(given)) return given.split(',').map(Number);
  // who means numbers is not told of a file
  const [file] = fileOf(given, undefined);
  if (file !== '-' && !existsSync(file))
    throw wrongOption(name, 'integers, such as 1,2,3, or the name of a file', given);
  if (!isTensorFile(given)) {
    const json = await readJson(given, signal);
    if (Array.isArray(json)) return json;
    throw new InputError(`${given}: expected an array of labels, or of rows of labels`);
  }
  const tensor = await readTensorFile(given, undefined, signal);
  try {
    const data = integersOf(tensor);
    if (tensor.shape.length < 2) return data;
    return { data, shape: tensor.shape as readonly [number, number] };
  } catch (error) {
    throw inputError(given, error);
  }
}

async function lengthsOf(name: string, given: string, signal: AbortSignal): Promise<Lengths> {
  const lengths = (await targetsOf(name, given, signal)) as number[];
  if (typeof lengths.length !== 'number') throw wrongOption(name, 'a flat list of lengths', given);
  return /^\s*\d+\s*$/.test(given) ? lengths[0]! : lengths;
}
