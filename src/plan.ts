import type { Axes } from './check.js';
import type { Constants, KernelName } from './kernels.js';
import { type Problem, problemFields, uniformBlockBytes } from './problem.js';
import { recordWords } from './targets.js';
import type { Dtype, Gradient, Kept, Reduction } from './types.js';

/** What a plan must know of a device. */
export interface Limits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** Sizes that a device would choose; tests force tiny ones, so that small cases take every path. */
export interface Tuning {
  /** Invocations of a workgroup, a power of two. */
  readonly workgroupSize: number;
  /** Elements of the caller's tensor that one dispatch handles: keeps a dispatch short. */
  readonly elementsPerDispatch: number;
  /** Frames that one command walks: the length of the table behind `integer`. */
  readonly framesPerCommand: number;
}

export const defaultTuning: Tuning = {
  workgroupSize: 64,
  elementsPerDispatch: 2 ** 22,
  framesPerCommand: 4096,
};

/** The problem, all but the data. */
export interface Task extends Axes {
  readonly scores: 'logProbs' | 'logits';
  readonly dtype: Dtype;
  readonly maxTargetLength: number;
  readonly blank: number;
  readonly reduction: Reduction;
  readonly zeroInfinity: boolean;
  readonly gradient: Gradient;
  readonly keep: readonly Kept[];
}

/** Bytes of an element on the GPU; the twins hold the same elements as float64. */
export const elementBytes = { word: 4, extended: 8, scale: 8, pair: 16, frame: 32, total: 32 } as const;

export interface BufferPlan {
  readonly element: keyof typeof elementBytes;
  readonly count: number;
}

/** A range of elements of one of the plan's own buffers; all of it by default. */
export interface BufferRange {
  readonly buffer: string;
  readonly first?: number;
  readonly count?: number;
}

/** Rows of one of the caller's tensors. */
export interface Window {
  readonly tensor: TensorName;
  readonly firstRow: number;
  readonly rows: number;
}

export type Binding = BufferRange | Window;

export type TensorName = 'scores' | 'grad' | 'losses' | 'gradOutput';

/** A caller's tensor as rows of equal size. */
export interface TensorPlan {
  readonly rows: number;
  readonly rowBytes: number;
  readonly elementBytes: number;
  /** Rows of one buffer where the library makes it: one buffer may not hold all. */
  readonly rowsPerBuffer: number;
}

/** One dispatch, or `steps` of them that differ in `integer` alone. */
export interface Dispatch {
  readonly type: 'dispatch';
  readonly kernel: KernelName;
  readonly constants: Constants;
  readonly grid: readonly [number, number];
  /** Index into the plan's problems. */
  readonly problem: number;
  /** Integers by name: the step, or the distance of a window's first row from where its binding starts. */
  readonly integers: Readonly<Record<string, 'step' | { readonly shiftOf: TensorName }>>;
  readonly steps?: { readonly count: number; readonly descending: boolean };
  readonly bindings: Readonly<Record<string, Binding>>;
  /** Elements touched by one dispatch. */
  readonly cost: number;
}

export interface Copy {
  readonly type: 'copy';
  readonly from: string;
  readonly to: string;
  readonly fromFirst: number;
  readonly toFirst: number;
  readonly count: number;
}

export type Command = Dispatch | Copy;

/** A block of the lattice that one set of buffers holds: some sequences, some frames. */
export interface KeptBlock {
  readonly firstSequence: number;
  readonly sequences: number;
  readonly firstFrame: number;
  readonly frames: number;
  readonly problem: number;
  readonly scales?: string;
  readonly alpha?: string;
  readonly beta?: string;
  readonly posterior?: string;
}

/** Everything that a run does, as data. */
export interface Plan {
  readonly strategy: 'step';
  readonly task: Task;
  readonly buffers: Readonly<Record<string, BufferPlan>>;
  readonly tensors: Readonly<Record<TensorName, TensorPlan>>;
  readonly problems: readonly Problem[];
  readonly integers: number;
  readonly commands: readonly Command[];
  readonly kept: readonly KeptBlock[];
  /** Bytes of device memory besides the caller's tensors. */
  readonly memory: number;
}

interface Range {
  readonly first: number;
  readonly end: number;
}

const count = ({ first, end }: Range) => end - first;

/** Cuts [0, total) into ranges of at most `size`. */
function cut(total: number, size: number): Range[] {
  const ranges: Range[] = [];
  for (let first = 0; first < total; first += size)
    ranges.push({ first, end: Math.min(total, first + size) });
  return ranges;
}

const intersection = (a: Range, b: Range): Range => ({
  first: Math.max(a.first, b.first),
  end: Math.min(a.end, b.end),
});

/**
 * The *step* strategy: one dispatch for each frame and direction, all sequences and states in its grid.
 * The batch is split into parts and a single sequence over time, so that no buffer exceeds a binding.
 */
export function planStep(task: Task, limits: Limits, tuning: Tuning = defaultTuning): Plan {
  const { frames, sequences, classes, maxTargetLength: labels, keep } = task;
  const pairs = labels + 1;
  const backward = task.gradient !== 'none' || keep.includes('beta') || keep.includes('posterior');
  const stored = backward || keep.includes('alpha');
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const size = tuning.workgroupSize;
  const words = recordWords(labels, classes);

  const rowBytes = {
    lattice: stored ? pairs * elementBytes.pair : 0,
    emissions: labels * elementBytes.extended,
  };
  const widest = Math.max(rowBytes.lattice, rowBytes.emissions);
  const unsplit = Math.max(
    widest * frames,
    elementBytes.frame * frames,
    words * 4,
    2 * pairs * elementBytes.pair,
  );
  const perPart = Math.min(Math.floor(most / unsplit) || 1, limits.maxComputeWorkgroupsPerDimension);
  const parts = cut(sequences, Math.min(sequences, perPart));
  // one row more in each slice: the frame before it (alpha) or after it (emissions, beta)
  const perSlice = unsplit <= most ? frames : Math.floor(most / Math.max(widest, 1)) - 1;
  const tooLarge = (what: string, bytes: number) =>
    new RangeError(`${what} needs ${bytes} bytes in one binding; this device binds at most ${most}`);
  if (elementBytes.frame * frames > most) throw tooLarge(`T = ${frames}`, elementBytes.frame * frames);
  if (words * 4 > most) throw tooLarge(`C = ${classes} with maxTargetLength = ${labels}`, words * 4);
  if (perSlice < 1) throw tooLarge(`maxTargetLength = ${labels}`, 2 * widest);
  if (2 * pairs * elementBytes.pair > most)
    throw tooLarge(`maxTargetLength = ${labels}`, 2 * pairs * elementBytes.pair);
  if (sequences * words * 4 > limits.maxBufferSize) throw tooLarge(`N = ${sequences}`, sequences * words * 4);
  const slices = cut(frames, perSlice);

  const scoreBytes = task.dtype === 'float16' ? 2 : 4;
  const tensor = (rows: number, width: number, bytes: number): TensorPlan => ({
    rows,
    rowBytes: width * bytes,
    elementBytes: bytes,
    rowsPerBuffer: Math.min(rows, Math.floor(limits.maxBufferSize / (width * 4))),
  });
  const reduced = task.reduction === 'none' ? sequences : 1;
  const tensors = {
    scores: tensor(sequences * frames, classes, scoreBytes),
    grad: tensor(sequences * frames, classes, 4),
    losses: tensor(1, reduced, 4),
    gradOutput: tensor(1, reduced, 4),
  };
  // a binding starts at a multiple of 256 bytes at or before the window's first row
  const rowsPerWindow = Math.min(
    Math.floor((limits.maxStorageBufferBindingSize - uniformBlockBytes) / (classes * 4)),
    Math.max(1, Math.floor(tuning.elementsPerDispatch / classes)),
  );
  if (rowsPerWindow < 1 || tensors.grad.rowsPerBuffer < 1)
    throw tooLarge(`C = ${classes}`, classes * 4 + uniformBlockBytes);
  const windows = cut(sequences * frames, tensors.grad.rowsPerBuffer).flatMap((buffer) =>
    cut(count(buffer), rowsPerWindow).map(({ first, end }) => ({
      first: buffer.first + first,
      end: buffer.first + end,
    })),
  );

  const buffers: Record<string, BufferPlan> = {};
  const commands: Command[] = [];
  const problems: Problem[] = [];
  const kept: KeptBlock[] = [];
  const problemIndex = new Map<string, number>();

  const base: Problem = {
    zero: 0,
    frames,
    sequences,
    classes,
    labels,
    blank: task.blank,
    zeroInfinity: Number(task.zeroInfinity),
    mean: Number(task.reduction === 'mean'),
    // alpha.e + beta.e − Z.e must not wrap, nor a sum over frames of the units' exponents
    range: Math.min(2 ** 20, Math.floor(2 ** 29 / frames)),
    recordWords: words,
    frameStride: task.layout === 'NTC' ? 1 : sequences,
    sequenceStride: task.layout === 'NTC' ? frames : 1,
    gradOutputStride: task.reduction === 'none' ? 1 : 0,
    firstSequence: 0,
    boxFrame: 0,
    boxSequence: 0,
    firstRow: 0,
    rowCount: 0,
    emissionFrame: 0,
    emissionRows: 1,
    alphaFrame: 0,
    alphaRows: 1,
    betaFrame: 0,
    betaRows: 1,
  };

  function problem(fields: Partial<Problem>): number {
    const value = { ...base, ...fields };
    const key = problemFields.map((field) => value[field]).join();
    if (!problemIndex.has(key)) problemIndex.set(key, problems.push(value) - 1);
    return problemIndex.get(key)!;
  }

  function buffer(name: string, element: BufferPlan['element'], elements: number): string {
    const before = buffers[name]?.count ?? 0;
    // a binding of size 0 is an error
    buffers[name] = { element, count: Math.max(before, elements, 1) };
    return name;
  }

  function dispatch(
    kernel: KernelName,
    constants: Constants,
    grid: [number, number],
    fields: Partial<Problem>,
    bindings: Record<string, Binding | string>,
    cost: number,
    more: Partial<Dispatch> = {},
  ) {
    const named = Object.entries(bindings).map(([name, to]) => [
      name,
      typeof to === 'string' ? { buffer: to } : to,
    ]);
    commands.push({
      type: 'dispatch',
      kernel,
      constants: { WORKGROUP: size, ...constants },
      grid,
      problem: problem(fields),
      integers: {},
      bindings: Object.fromEntries(named),
      cost,
      ...more,
    });
  }

  /** The frames and sequences whose rows of the caller's tensor lie in a window. */
  function boxes(window: Range, part: Range, slice: Range): { time: Range; batch: Range }[] {
    const inner = task.layout === 'NTC' ? frames : sequences;
    const outerRows = { first: Math.floor(window.first / inner), end: Math.ceil(window.end / inner) };
    const innerRows =
      count(outerRows) === 1
        ? { first: window.first - outerRows.first * inner, end: window.end - outerRows.first * inner }
        : { first: 0, end: inner };
    const [time, batch] = task.layout === 'NTC' ? [innerRows, outerRows] : [outerRows, innerRows];
    const box = { time: intersection(time, slice), batch: intersection(batch, part) };
    if (count(box.time) <= 0 || count(box.batch) <= 0) return [];
    return cut(count(box.time), limits.maxComputeWorkgroupsPerDimension).map(({ first, end }) => ({
      time: { first: box.time.first + first, end: box.time.first + end },
      batch: box.batch,
    }));
  }

  /** One workgroup for each row of a window, for the rows of a part and a slice. */
  function overRows(
    kernel: 'rows' | 'gradient',
    constants: Constants,
    part: Range,
    slice: Range,
    fields: Partial<Problem>,
    bindings: Record<string, Binding | string>,
  ) {
    for (const window of windows) {
      const rows = { firstRow: window.first, rows: count(window) };
      const caller: Record<string, Binding> = { scores: { tensor: 'scores', ...rows } };
      const integers: Record<string, { shiftOf: TensorName }> = { integer: { shiftOf: 'scores' } };
      if (kernel === 'gradient') {
        caller.grad = { tensor: 'grad', ...rows };
        integers.gradShift = { shiftOf: 'grad' };
      }
      for (const { time, batch } of boxes(window, part, slice)) {
        const place = {
          boxFrame: time.first,
          boxSequence: batch.first,
          firstRow: rows.firstRow,
          rowCount: rows.rows,
        };
        const grid: [number, number] = [count(time), count(batch)];
        const cost = grid[0] * grid[1] * classes;
        dispatch(kernel, constants, grid, { ...fields, ...place }, { ...bindings, ...caller }, cost, {
          integers,
        });
      }
    }
  }

  /** One dispatch for each frame of a slice. */
  function overFrames(
    kernel: 'alpha' | 'beta',
    part: Range,
    slice: Range,
    fields: Partial<Problem>,
    bindings: Record<string, Binding | string>,
  ) {
    const runs = cut(count(slice), tuning.framesPerCommand);
    if (kernel === 'beta') runs.reverse();
    for (const run of runs) {
      dispatch(
        kernel,
        { LOGITS: false },
        [Math.ceil(pairs / size), count(part)],
        { ...fields, boxFrame: slice.first + run.first },
        bindings,
        4 * pairs * count(part),
        { integers: { integer: 'step' }, steps: { count: count(run), descending: kernel === 'beta' } },
      );
    }
  }

  const LOGITS = task.scores === 'logits';
  const HALF = task.dtype === 'float16';
  buffer('targets', 'word', sequences * words);
  buffer('totals', 'total', sequences);
  // where the caller gives none
  buffer('losses', 'word', reduced);
  buffer('gradOutput', 'word', reduced);

  parts.forEach((part, p) => {
    const batch = count(part);
    const targets: Binding = { buffer: 'targets', first: part.first * words, count: batch * words };
    const frameBuffer = buffer('frames', 'frame', batch * frames);
    const ends = buffer('ends', 'extended', 2 * batch);

    const stages = slices.map((slice, j) => {
      const last = j === slices.length - 1;
      const emissionRows = count(slice) + (last ? 0 : 1);
      const alphaRows = stored ? count(slice) + (j === 0 ? 0 : 1) : 2;
      const betaRows = keep.includes('beta') ? count(slice) + (last ? 0 : 1) : 2;
      // what is kept has buffers of its own; the rest is used again by the next part
      const own = keep.length > 0 ? `${p}.${j}` : `${j}`;
      return {
        slice,
        emissionRange: { first: slice.first, end: slice.first + emissionRows },
        emissions: buffer(
          backward ? `emissions.${j}` : 'emissions',
          'extended',
          batch * emissionRows * labels,
        ),
        lattice: buffer(stored ? `lattice.${own}` : 'lattice', 'pair', batch * alphaRows * pairs),
        betas: !backward
          ? ''
          : buffer(keep.includes('beta') ? `betas.${own}` : 'betas', 'pair', batch * betaRows * pairs),
        fields: {
          firstSequence: part.first,
          emissionFrame: slice.first,
          emissionRows,
          alphaFrame: stored && j > 0 ? slice.first - 1 : stored ? slice.first : 0,
          alphaRows,
          betaFrame: keep.includes('beta') ? slice.first : 0,
          betaRows,
        },
      };
    });

    stages.forEach((stage, j) => {
      const { slice, fields, emissions, lattice } = stage;
      const bindings = { targets, frames: frameBuffer, emissions };
      overRows('rows', { LOGITS, HALF }, part, stage.emissionRange, fields, bindings);
      if (stored && j > 0) {
        const before = stages[j - 1];
        const fromFirst = (before.fields.alphaRows - 1) * pairs;
        commands.push({
          type: 'copy',
          from: before.lattice,
          to: lattice,
          fromFirst,
          toFirst: 0,
          count: pairs,
        });
      }
      overFrames('alpha', part, slice, fields, { ...bindings, lattice, ends });
    });

    const { fields } = stages[0];
    dispatch(
      'loss',
      { LOGITS },
      [batch, 1],
      fields,
      { targets, frames: frameBuffer, ends, totals: 'totals' },
      batch * frames,
    );

    let scales: string | undefined;
    if (keep.includes('alpha') || keep.includes('beta')) {
      scales = buffer(`scales.${p}`, 'scale', batch * frames);
      dispatch(
        'scales',
        { LOGITS },
        [batch, 1],
        fields,
        { targets, frames: frameBuffer, scales },
        batch * frames,
      );
    }

    for (const [j, stage] of [...stages.entries()].reverse()) {
      const { slice, fields, emissions, lattice, betas } = stage;
      let alpha = keep.includes('alpha') ? lattice : undefined;
      if (alpha && backward) {
        // the posterior takes the place of alpha
        const { count } = buffers[lattice];
        alpha = buffer(`alpha.${p}.${j}`, 'pair', count);
        commands.push({ type: 'copy', from: lattice, to: alpha, fromFirst: 0, toFirst: 0, count });
      }
      if (backward) {
        if (keep.includes('beta') && j < stages.length - 1) {
          const after = stages[j + 1].betas;
          const toFirst = (fields.betaRows - 1) * pairs;
          commands.push({ type: 'copy', from: after, to: betas, fromFirst: 0, toFirst, count: pairs });
        }
        overFrames('beta', part, slice, fields, {
          targets,
          frames: frameBuffer,
          emissions,
          lattice,
          betas,
          totals: 'totals',
        });
      }
      if (task.gradient !== 'none') {
        const gradOutput: Binding = { tensor: 'gradOutput', firstRow: 0, rows: 1 };
        const constants = { LOGITS, HALF, SOFTMAX: task.gradient === 'logits' };
        const bindings = { targets, frames: frameBuffer, lattice, totals: 'totals', gradOutput };
        overRows('gradient', constants, part, slice, fields, bindings);
      }
      if (keep.includes('posterior')) {
        for (const run of cut(count(slice), limits.maxComputeWorkgroupsPerDimension)) {
          const box = { boxFrame: slice.first + run.first, boxSequence: part.first };
          const grid: [number, number] = [count(run), batch];
          dispatch(
            'posterior',
            {},
            grid,
            { ...fields, ...box },
            { targets, lattice, totals: 'totals' },
            count(run) * batch * pairs,
          );
        }
      }
      if (keep.length > 0) {
        kept.push({
          firstSequence: part.first,
          sequences: batch,
          firstFrame: slice.first,
          frames: count(slice),
          problem: problem(fields),
          ...(scales && { scales }),
          ...(alpha && { alpha }),
          ...(keep.includes('beta') && { beta: betas }),
          ...(keep.includes('posterior') && { posterior: lattice }),
        });
      }
    }
  });

  kept.sort((a, b) => a.firstSequence - b.firstSequence || a.firstFrame - b.firstFrame);

  const losses: Binding = { tensor: 'losses', firstRow: 0, rows: 1 };
  dispatch(
    'reduce',
    { REDUCE: task.reduction !== 'none' },
    [1, 1],
    {},
    { totals: 'totals', losses },
    sequences,
  );

  const integers = Math.max(
    uniformBlockBytes / 2,
    ...commands.map((c) => (c.type === 'dispatch' && c.steps?.count) || 0),
  );
  const own = Object.values(buffers).reduce(
    (sum, { element, count }) => sum + elementBytes[element] * count,
    0,
  );
  const memory = own + (problems.length + integers) * uniformBlockBytes;
  return { strategy: 'step', task, buffers, tensors, problems, integers, commands, kept, memory };
}
