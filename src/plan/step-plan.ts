import type { Problem } from '../kernels/uniforms.js';
import { distinctLabels } from '../problem/targets.js';
import { type Bindings, Draft } from './draft.js';
import { elementBytes, type Limits, type Plan, type ProblemShape } from './plan.js';
import { type Box, count, cut, type Range, segmentOf, splitMemory, together } from './split.js';
import type { Tuning } from './tuning.js';

/** A slice of time of one part of the batch: where its lattice lies. */
interface Stage extends Box {
  /** The frames whose emissions it holds: its own, and the one after for beta. */
  readonly emissionFrames: Range;
  readonly emissions: string;
  readonly lattice: string;
  readonly betas: string;
  readonly fields: Partial<Problem>;
}

/**
 * The *step* strategy: a dispatch for each frame and direction, all sequences and states in its grid. Where a workgroup holds
 * all states of a sequence, for several frames.
 */
export function planStep(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { frames, maxTargetLength: labels, keep } = task;
  const pairs = labels + 1;
  const slots = distinctLabels(labels, task.classes) + 2;
  const keepsBeta = keep.includes('beta');
  const backward = task.gradient !== 'none' || keepsBeta || keep.includes('posterior');
  const stored = backward || keep.includes('alpha');
  const { parts, slices } = splitMemory(task, limits, tuning, {
    steps: frames,
    slice(steps) {
      // a slice has one row more: the frame before it (alpha) or after it (emissions, beta)
      const rows = steps < frames ? steps + 1 : frames;
      return together(stored ? rows * pairs * elementBytes.pair : 0, rows * slots * elementBytes.extended);
    },
    frames: frames * elementBytes.frame,
    row: 2 * pairs * elementBytes.pair,
    elements: frames,
  });
  // a row that fits into a workgroup has one of its own: of 8, 16, 32, … invocations, the fewer the cheaper its barriers
  const row = Math.max(8, 2 ** Math.ceil(Math.log2(pairs)));
  const lanes = row <= tuning.widestRow ? row : tuning.workgroupSize;
  const groups = Math.ceil(pairs / lanes);
  if (groups > limits.maxComputeWorkgroupsPerDimension) {
    throw new RangeError(
      `maxTargetLength: expected at most ${limits.maxComputeWorkgroupsPerDimension * lanes - 1} on this device, got ${labels}`,
    );
  }
  const recording = new Draft(task, limits, tuning, false, {});
  const totals = recording.buffer('totals', 'total', task.sequences);

  /** A dispatch for each frame of a box, or for several. */
  function overFrames(kernel: 'alpha' | 'beta', box: Box, fields: Partial<Problem>, bindings: Bindings) {
    const descending = kernel === 'beta';
    const runs = cut(count(box.frames), tuning.framesPerCommand);
    const batch = count(box.sequences);
    const cost = 4 * pairs * batch;
    const segment = groups === 1 ? segmentOf(count(box.frames), cost, 1, 1, tuning) : 1;
    for (const run of descending ? runs.reverse() : runs) {
      const place = { boxFrame: box.frames.first + run.first, boxEnd: box.frames.first + run.end, segment };
      recording.dispatch(kernel, [groups, batch], { ...fields, ...place }, bindings, cost * segment, {
        constants: { WORKGROUP: lanes },
        integers: { integer: 'step' },
        steps: { count: Math.ceil(count(run) / segment), descending },
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
          batch * emissionRows * slots,
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

  let p = 0;
  for (const part of recording.each(parts)) {
    const batch = count(part);
    const ofPart = recording.ofPart(part);
    const { targets } = ofPart;
    const ends = recording.buffer('ends', 'extended', 2 * batch);
    const stages = stagesOf(part, p);

    stages.forEach((stage, j) => {
      const { fields, emissions, lattice } = stage;
      const before = stages[j - 1];
      recording.overRows('rows', { ...stage, frames: stage.emissionFrames }, fields, {
        ...ofPart,
        emissions,
      });
      if (stored && before)
        recording.copy(before.lattice, lattice, (before.fields.alphaRows! - 1) * pairs, 0, pairs);
      overFrames('alpha', stage, fields, { targets, emissions, lattice, ends });
    });

    const whole = stages[0]!.fields;
    recording.dispatch('loss', [batch, 1], whole, { ...ofPart, ends, totals }, batch * frames, {
      constants: { WORKGROUP: tuning.rowWorkgroupSize },
    });
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
        overFrames('beta', stage, fields, { targets, emissions, lattice, betas, totals });
      }
      if (task.gradient !== 'none') {
        recording.overRows('gradient', stage, fields, { ...ofPart, lattice, totals });
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
          const bindings = { targets, lattice, totals };
          const grid = [recording.groups(count(run)), batch] as const;
          recording.dispatch(
            'posterior',
            grid,
            { ...fields, ...place },
            bindings,
            count(run) * batch * pairs,
            {
              constants: recording.share,
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
    p++;
  }

  return recording.finish('step');
}
