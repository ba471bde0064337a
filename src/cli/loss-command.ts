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

CASE.json           { "name", "loss", "grad", "device", "strategy" } for each. The file's keys: shape, logits,
                    logProbs or probs, targets; optionally name, targetsLayout, inputLengths, targetLengths, blank, zeroInfinity.
                    origin, note and expected are for people; any other key is a mistake.

EMISSIONS           .npy, .npz or .safetensors, [T, C] or [T, N, C]; FILE.npz:NAME where there are several
--targets LIST      1,2,3 or a file of integers, JSON or as above: [N, S], or flat with --target-lengths
--grad OUT.npy      where the gradient goes, in the shape of the emissions: PyTorch's, with respect to logits,
                    whatever the input; without it none is computed. --force overwrites the file
--layout ORDER      TNC, NTC or TC; by default TNC, or NTC where the first axis has as many sequences as there are targets
--unpacked-mb N     that a tensor of a .npz may have; by default 64 times the file, and at least 64 MiB
--input KIND        logits, log-probs or probs; by default the numbers show it
--blank ID          class of the blank, 0 by default
--input-lengths LIST, --target-lengths LIST
                    a number for all, 40,35,1, or a file; by default all frames, all labels

--expect-loss LIST, --expect-grad FILE
                    what the result has to be, as 1.25 or a file, and a .npy: the largest difference is told, and the
                    exit code is 5 where it is beyond 1e-5 of the loss, or 1e-5 in the gradient
--reduction NAME    none, sum or mean, the default
--device NAME       auto, gpu or cpu
--strategy NAME     auto, step, fused or tiled

exit codes: 0 done, 1 an internal error, 2 wrong usage or input, 4 no WebGPU with --device gpu, 5 not what was
expected, 130 interrupted, 141 the reader of stdout left`;

const ofTensors = {
  targets: { type: 'string' },
  grad: { type: 'string' },
  layout: { type: 'string' },
  input: { type: 'string' },
  blank: { type: 'string' },
  'input-lengths': { type: 'string' },
  'target-lengths': { type: 'string' },
  tensor: { type: 'string' },
  'expect-loss': { type: 'string' },
  'expect-grad': { type: 'string' },
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
  return lossOfTensors(file, targets, values, options, signal);
}

/** Options of a problem in tensor files, as they come. */
type TensorValues = Partial<Record<Exclude<keyof typeof ofTensors, 'force'>, string>> & {
  readonly force?: boolean;
};

async function lossOfTensors(
  file: string,
  targets: string,
  values: TensorValues,
  options: Options,
  signal: AbortSignal,
): Promise<number> {
  const { grad, force = false } = values;
  if (grad !== undefined) {
    if (!grad.toLowerCase().endsWith('.npy')) throw wrongOption('--grad', 'a name that ends in .npy', grad);
    const read = [fileOf(file, values.tensor)[0], targets, values['input-lengths'], values['target-lengths']];
    const inputs = read.filter((path) => path !== undefined);
    await checkOutputs([grad], inputs, force);
  }
  const { problem, tensor, shape } = await problemOf(file, targets, values, signal);
  const withGrad = grad !== undefined || values['expect-grad'] !== undefined;
  const { grad: gradient, ...line } = await compute(file, problem, options, signal, withGrad);
  if (grad !== undefined)
    await writeOutputs([[grad, writeNpy(gradient!, shape)]], { mayReplace: () => force });
  const differences = await differencesFrom(values, [line.loss].flat().map(Number), gradient, signal);
  print(JSON.stringify({ ...line, tensor, ...(grad !== undefined && { grad }), ...differences }));
  const beyond = Object.entries(differences).filter(([, difference]) => !(difference <= bar));
  for (const [name, difference] of beyond)
    say(`webgpu-ctc: ${name}: expected at most ${bar}, got ${difference}`);
  return beyond.length > 0 ? 5 : 0;
}

async function problemOf(file: string, targets: string, values: TensorValues, signal: AbortSignal) {
  const { layout, input } = values;
  const kind = input === undefined ? undefined : choice('--input', input, scoreKinds);
  const order = layout === undefined ? undefined : choice('--layout', layout, ['TNC', 'NTC', 'TC']);
  const unpacked = values['unpacked-mb'];
  const unpackedBytes = unpacked === undefined ? undefined : megabytes('--unpacked-mb', unpacked);
  const blank = values.blank === undefined ? 0 : integer('--blank', values.blank, 0);
  const tensor = await readTensorFile(file, values.tensor, signal, unpackedBytes);
  const { shape } = tensor;
  const labels = await targetsOf('--targets', targets, signal);
  const lengths = (name: 'input-lengths' | 'target-lengths') =>
    values[name] === undefined ? undefined : lengthsOf(`--${name}`, values[name], signal);
  const inputLengths = await lengths('input-lengths');
  const targetLengths = await lengths('target-lengths');
  const inOrder = order ?? batchFirst(shape, labels, targetLengths);
  const isUsed = usedRows(shape, inOrder, inputLengths);
  const scores = scoresIn(tensor, shape.at(-1) ?? 1, kind, isUsed);
  const { data, argument, input: found, source, tensor: key } = scores;
  say(`${source}: ${found}, [${shape.join(', ')}] as ${inOrder ?? (shape.length === 3 ? 'TNC' : 'TC')}`);
  const emissions = { data, shape: shape as Shape, ...(inOrder !== undefined && { layout: inOrder }) };
  const given = argument === 'logits' ? { logits: emissions } : { logProbs: emissions };
  const problem: Case = {
    ...{ name: basename(file), blank, zeroInfinity: false },
    input: { ...given, targets: labels, inputLengths, targetLengths },
  };
  return { problem, tensor: key, shape };
}

/** The largest differences from what was expected, where something was. */
async function differencesFrom(
  values: TensorValues,
  loss: readonly number[],
  gradient: Float32Array | undefined,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const { 'expect-loss': expectedLoss, 'expect-grad': expectedGrad } = values;
  const differences: Record<string, number> = {};
  if (expectedLoss !== undefined)
    differences.lossDifference = farthest(
      '--expect-loss',
      loss,
      await numbersOf('--expect-loss', expectedLoss, signal),
      true,
    );
  if (expectedGrad !== undefined)
    differences.gradDifference = farthest(
      '--expect-grad',
      gradient!,
      await numbersOf('--expect-grad', expectedGrad, signal),
    );
  return differences;
}

/** What float32 may differ by: of the loss relatively, where it is above 1. */
const bar = 1e-5;

function farthest(
  name: string,
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  relative = false,
): number {
  if (got.length !== expected.length) throw wrongOption(name, `${got.length} values`, expected.length);
  let most = 0;
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    const apart =
      Object.is(a, b) || a === b ? 0 : Math.abs(a - b) / (relative ? Math.max(1, Math.abs(b)) : 1);
    most = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(most, apart);
  }
  return most;
}

/** `1.25,3`, or what a file of numbers holds. */
async function numbersOf(name: string, given: string, signal: AbortSignal): Promise<ArrayLike<number>> {
  const list = given.split(',').map((item) => (item.trim() === '' ? Number.NaN : Number(item)));
  if (list.every((value, i) => !Number.isNaN(value) || /^\s*nan\s*$/i.test(given.split(',')[i]!)))
    return list;
  const [file] = fileOf(given, undefined);
  if (!existsSync(file)) throw wrongOption(name, 'numbers, such as 1.25, or the name of a file', given);
  if (isTensorFile(given)) return (await readTensorFile(given, undefined, signal)).data;
  const json = await readJson(given, signal);
  const flat: unknown[] = Array.isArray(json) ? json.flat(Number.POSITIVE_INFINITY) : [json];
  if (!flat.every((value) => typeof value === 'number')) throw new InputError(`${given}: expected numbers`);
  return flat as number[];
}

/** NTC, where the first axis has as many sequences as there are targets, and the second has not. */
function batchFirst(
  shape: readonly number[],
  targets: Targets,
  lengths: Lengths | undefined,
): Layout | undefined {
  if (shape.length !== 3) return undefined;
  const rows =
    typeof lengths === 'object'
      ? lengths.length
      : 'shape' in targets
        ? targets.shape[0]
        : typeof targets[0] === 'object'
          ? targets.length
          : 1;
  return shape[1] !== rows && shape[0] === rows ? 'NTC' : undefined;
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
