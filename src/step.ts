import {
  type Binding,
  elementBytes,
  type Limits,
  type Plan,
  PlanRecording,
  type ProblemShape,
  type TensorName,
  type TensorPlan,
  type Tuning,
} from './plan.js';
import type { Problem } from './problem.js';
import {
  type Box,
  boxesOf,
  count,
  cut,
  type Range,
  rowsPerBuffer,
  splitMemory,
  splitTensor,
} from './split.js';
import { recordWords } from './targets.js';

type Bindings = Readonly<Record<string, Binding | string>>;

/** A slice of time of one part of the batch: where its lattice lies. */
interface Stage extends Box {
  /** The frames whose emissions it holds: its own, and the one after for beta. */
  readonly emissionFrames: Range;
  readonly emissions: string;
  readonly lattice: string;
  readonly betas: string;
  readonly fields: Partial<Problem>;
}

/** The *step* strategy: one dispatch for each frame and direction, all sequences and states in its grid. */
export function planStep(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { frames, maxTargetLength: labels, keep } = task;
  const pairs = labels + 1;
  const keepsBeta = keep.includes('beta');
  const backward = task.gradient !== 'none' || keepsBeta || keep.includes('posterior');
  const stored = backward || keep.includes('alpha');
  const { parts, slices } = splitMemory(task, limits, {
    lattice: stored ? pairs * elementBytes.pair : 0,
    emissions: labels * elementBytes.extended,
  });
  const groups = Math.ceil(pairs / tuning.workgroupSize);
  if (groups > limits.maxComputeWorkgroupsPerDimension) {
    throw new RangeError(
      `maxTargetLength: expected at most ${limits.maxComputeWorkgroupsPerDimension * tuning.workgroupSize - 1} on this device, got ${labels}`,
    );
  }
  const windows = splitTensor(task, limits, tuning);
  const tensors = tensorsOf(task, limits);
  const recording = new PlanRecording(task, problemOf(task), {
    WORKGROUP: tuning.workgroupSize,
    LOGITS: task.scores === 'logits',
  });
  // how the rows of the caller's tensor are shared out; by C alone, since a sequence's bits must not depend on its batch
  const alone = task.classes < tuning.sharedRow;
  const rowsPerGroup = alone ? tuning.workgroupSize : 1;
  const share = { ALONE: alone, ...(!alone && { WORKGROUP: tuning.rowWorkgroupSize }) };

  /** One workgroup for each row of the caller's tensors that belongs to a box. */
  function overRows(kernel: 'rows' | 'gradient', box: Box, fields: Partial<Problem>, bindings: Bindings) {
    const both = kernel === 'gradient';
    const constants = {
      ...share,
      HALF: task.dtype === 'float16',
      ...(both && { SOFTMAX: task.gradient === 'logits' }),
    };
    const integers = {
      integer: { shiftOf: 'scores' as TensorName },
      ...(both && { gradShift: { shiftOf: 'grad' as TensorName } }),
    };
    for (const window of windows) {
      const rows = { firstRow: window.first, rows: count(window) };
      const caller = {
        scores: { tensor: 'scores' as const, ...rows },
        ...(both && { grad: { tensor: 'grad' as const, ...rows } }),
      };
      for (const { frames, sequences } of boxesOf(window, box, task, limits)) {
        const grid = [Math.ceil(count(frames) / rowsPerGroup), count(sequences)] as const;
        const place = {
          boxFrame: frames.first,
          boxEnd: frames.end,
          boxSequence: sequences.first,
          firstRow: rows.firstRow,
          rowCount: rows.rows,
        };
        const cost = count(frames) * count(sequences) * (task.classes + labels);
        recording.dispatch(kernel, grid, { ...fields, ...place }, { ...bindings, ...caller }, cost, {
          constants,
          integers,
        });
      }
    }
  }

  /** One dispatch for each frame of a box. */
  function overFrames(kernel: 'alpha' | 'beta', box: Box, fields: Partial<Problem>, bindings: Bindings) {
    const descending = kernel === 'beta';
    const runs = cut(count(box.frames), tuning.framesPerCommand);
    const batch = count(box.sequences);
    const grid = [groups, batch] as const;
    for (const run of descending ? runs.reverse() : runs) {
      const steps = { count: count(run), descending };
      const place = { boxFrame: box.frames.first + run.first };
      recording.dispatch(kernel, grid, { ...fields, ...place }, bindings, 4 * pairs * batch, {
        integers: { integer: 'step' },
        steps,
      });
    }
  }

  function stagesOf(sequences: Range, p: number): Stage[] {
    const batch = count(sequences);
    return slices.map((frames, j) => {
      const after = j < slices.length - 1 ? 1 : 0;
      const before = j > 0 ? 1 : 0;
      const emissionRows = count(frames) + after;
      const alphaRows = stored ? count(frames) + before : 2;
      const betaRows = keepsBeta ? count(frames) + after : 2;
      // what is kept has buffers of its own; the rest is used again by the next part
      const own = keep.length > 0 ? `${p}.${j}` : `${j}`;
      return {
        frames,
        sequences,
        emissionFrames: { first: frames.first, end: frames.first + emissionRows },
        emissions: recording.buffer(
          backward ? `emissions.${j}` : 'emissions',
          'extended',
          batch * emissionRows * labels,
        ),
        lattice: recording.buffer(stored ? `lattice.${own}` : 'lattice', 'pair', batch * alphaRows * pairs),
        betas: backward
          ? recording.buffer(keepsBeta ? `betas.${own}` : 'betas', 'pair', batch * betaRows * pairs)
          : '',
        fields: {
          firstSequence: sequences.first,
          emissionFrame: frames.first,
          emissionRows,
          alphaFrame: stored ? frames.first - before : 0,
          alphaRows,
          betaFrame: keepsBeta ? frames.first : 0,
          betaRows,
        },
      };
    });
  }

  recording.buffer('targets', 'word', task.sequences * recordWords(labels, task.classes));
  recording.buffer('totals', 'total', task.sequences);
  // where the caller gives none
  recording.buffer('losses', 'word', tensors.losses.rowBytes / 4);
  recording.buffer('gradOutput', 'word', tensors.gradOutput.rowBytes / 4);

  parts.forEach((part, p) => {
    const batch = count(part);
    const words = recordWords(labels, task.classes);
    const ofPart: Bindings = {
      targets: { buffer: 'targets', first: part.first * words, count: batch * words },
      frames: recording.buffer('frames', 'frame', batch * frames),
    };
    const ends = recording.buffer('ends', 'extended', 2 * batch);
    const totals = 'totals';
    const stages = stagesOf(part, p);

    stages.forEach((stage, j) => {
      const { fields, emissions, lattice } = stage;
      const before = stages[j - 1];
      overRows('rows', { ...stage, frames: stage.emissionFrames }, fields, { ...ofPart, emissions });
      if (stored && before)
        recording.copy(before.lattice, lattice, (before.fields.alphaRows! - 1) * pairs, 0, pairs);
      overFrames('alpha', stage, fields, { ...ofPart, emissions, lattice, ends });
    });

    const whole = stages[0]!.fields;
    recording.dispatch('loss', [batch, 1], whole, { ...ofPart, ends, totals }, batch * frames);
    const scales =
      keep.includes('alpha') || keepsBeta
        ? recording.buffer(`scales.${p}`, 'scale', batch * frames)
        : undefined;
    if (scales) recording.dispatch('scales', [batch, 1], whole, { ...ofPart, scales }, batch * frames);

    for (const [j, stage] of [...stages.entries()].reverse()) {
      const { fields, emissions, lattice, betas } = stage;
      const after = stages[j + 1];
      let alpha = keep.includes('alpha') ? lattice : undefined;
      if (alpha && backward) {
        // the posterior takes the place of alpha
        alpha = recording.buffer(`alpha.${p}.${j}`, 'pair', batch * fields.alphaRows! * pairs);
        recording.copy(lattice, alpha);
      }
      if (backward) {
        if (keepsBeta && after) recording.copy(after.betas, betas, 0, (fields.betaRows! - 1) * pairs, pairs);
        overFrames('beta', stage, fields, { ...ofPart, emissions, lattice, betas, totals });
      }
      if (task.gradient !== 'none') {
        const gradOutput = { tensor: 'gradOutput', firstRow: 0, rows: 1 } as const;
        overRows('gradient', stage, fields, { ...ofPart, lattice, totals, gradOutput });
      }
      if (keep.includes('posterior')) {
        const short = Math.max(1, Math.floor(tuning.elementsPerDispatch / (batch * pairs)));
        for (const run of cut(
          count(stage.frames),
          Math.min(short, limits.maxComputeWorkgroupsPerDimension),
        )) {
          const place = {
            boxFrame: stage.frames.first + run.first,
            boxEnd: stage.frames.first + run.end,
            boxSequence: part.first,
          };
          const bindings = { targets: ofPart.targets!, lattice, totals };
          const grid = [Math.ceil(count(run) / rowsPerGroup), batch] as const;
          recording.dispatch(
            'posterior',
            grid,
            { ...fields, ...place },
            bindings,
            count(run) * batch * pairs,
            {
              constants: share,
            },
          );
        }
      }
      if (keep.length > 0) {
        recording.keep({
          firstSequence: part.first,
          sequences: batch,
          firstFrame: stage.frames.first,
          frames: count(stage.frames),
          problem: recording.problem(fields),
          ...(scales && { scales }),
          ...(alpha && { alpha }),
          ...(keepsBeta && { beta: betas }),
          ...(keep.includes('posterior') && { posterior: lattice }),
        });
      }
    }
  });

  const constants = { REDUCE: task.reduction !== 'none' };
  const losses = { tensor: 'losses', firstRow: 0, rows: 1 } as const;
  recording.dispatch('reduce', [1, 1], {}, { totals: 'totals', losses }, task.sequences, {
    constants,
  });
  return recording.plan('step', tensors);
}

/** What every dispatch is told of the problem; the fields of its own share come on top. */
function problemOf(task: ProblemShape): Problem {
  const { frames, sequences, classes, maxTargetLength } = task;
  return {
    zero: 0,
    frames,
    sequences,
    classes,
    labels: maxTargetLength,
    blank: task.blank,
    zeroInfinity: Number(task.zeroInfinity),
    mean: Number(task.reduction === 'mean'),
    recordWords: recordWords(maxTargetLength, classes),
    frameStride: task.layout === 'NTC' ? 1 : sequences,
    sequenceStride: task.layout === 'NTC' ? frames : 1,
    gradOutputStride: Number(task.reduction === 'none'),
    firstSequence: 0,
    boxFrame: 0,
    boxEnd: 0,
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
}

function tensorsOf(task: ProblemShape, limits: Limits): Record<TensorName, TensorPlan> {
  const rows = task.sequences * task.frames;
  const perBuffer = rowsPerBuffer(task, limits);
  const scoreBytes = task.dtype === 'float16' ? 2 : 4;
  const reduced = {
    rows: 1,
    rowBytes: task.reduction === 'none' ? 4 * task.sequences : 4,
    elementBytes: 4,
    rowsPerBuffer: 1,
  };
  return {
    scores: { rows, rowBytes: task.classes * scoreBytes, elementBytes: scoreBytes, rowsPerBuffer: perBuffer },
    grad: { rows, rowBytes: task.classes * 4, elementBytes: 4, rowsPerBuffer: perBuffer },
    losses: reduced,
    gradOutput: reduced,
  };
}
