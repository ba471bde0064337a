import type { Constants } from '../kernels/kernels.js';
import type { Problem } from '../kernels/uniforms.js';
import { distinctLabels, recordWords } from '../problem/targets.js';
import {
  type Binding,
  type ElementRange,
  type Limits,
  type LossStrategy,
  type Plan,
  PlanRecording,
  type ProblemShape,
  type Purpose,
  type TensorName,
  type TensorPlan,
} from './plan.js';
import { type Box, count, piecesOf, type Range, rowsPerBuffer } from './split.js';
import type { Tuning } from './tuning.js';

export type Bindings = Readonly<Record<string, Binding | string>>;

const integer = { shiftOf: 'scores' } as const;
/** How far a window's first row is from where its binding starts. */
const shifts = { scores: { integer }, both: { integer, gradShift: { shiftOf: 'grad' } as const } };

/** A plan as it is made: what all strategies share. The rows of the caller's tensors come in, and go out as gradients. */
export class Draft extends PlanRecording {
  readonly #task: ProblemShape;
  readonly #limits: Limits;
  readonly #tuning: Tuning;
  readonly #tensors: Record<TensorName, TensorPlan>;
  readonly #rowsPerGroup: number;
  /** How the lanes of a workgroup share the rows of a tensor or of a lattice: a form of the kernels. */
  readonly share: Constants;
  /** The same where they share whatever there is to do. */
  readonly together: Constants;

  constructor(task: ProblemShape, limits: Limits, tuning: Tuning, middle: boolean, fields: Partial<Problem>) {
    super(
      task,
      limits,
      { ...problemOf(task), ...fields },
      { MIDDLE: middle, WORKGROUP: tuning.workgroupSize, LOGITS: task.scores === 'logits' },
    );
    this.#task = task;
    this.#limits = limits;
    this.#tuning = tuning;
    this.#tensors = tensorsOf(task, limits);
    // by C alone, since a sequence's bits must not depend on its batch
    const ALONE = task.classes < tuning.sharedRow;
    this.#rowsPerGroup = ALONE ? tuning.workgroupSize : 1;
    this.together = { ALONE: false, WORKGROUP: tuning.rowWorkgroupSize, SUBGROUPS: tuning.subgroups };
    this.share = ALONE ? { ALONE } : this.together;
    this.buffer('targets', 'word', task.sequences * recordWords(task.maxTargetLength, task.classes));
  }

  /** The targets of a part of the batch. */
  targetsOf(part: Range): ElementRange {
    const words = recordWords(this.#task.maxTargetLength, this.#task.classes);
    return { buffer: 'targets', first: part.first * words, count: count(part) * words };
  }

  /** The targets of a part of the batch, and what its frames have in common. */
  ofPart(part: Range): { targets: ElementRange; frames: string } {
    const frames = this.buffer('frames', 'frame', count(part) * this.#task.frames);
    return { targets: this.targetsOf(part), frames };
  }

  /** Workgroups for a number of rows. */
  groups(rows: number): number {
    return Math.ceil(rows / this.#rowsPerGroup);
  }

  /** The rows of the caller's tensors that belong to a box. */
  overRows(
    kernel: 'rows' | 'gradient' | 'spell' | 'greedy',
    box: Box,
    fields: Partial<Problem>,
    bindings: Bindings,
    more: Constants = {},
  ): void {
    const { classes, dtype, gradient, maxTargetLength } = this.#task;
    const both = kernel === 'gradient';
    // of a row the gradient looks at every state, the others at a label once however often it occurs
    const work = classes + (both ? maxTargetLength : distinctLabels(maxTargetLength, classes));
    const constants = {
      ...this.share,
      HALF: dtype === 'float16',
      ...(both && { SOFTMAX: gradient === 'logits' }),
      ...more,
    };
    const integers = both ? shifts.both : shifts.scores;
    const inVectors = dtype === 'float32' && classes >= 4;
    // where the caller gives none
    if (both) this.buffer('gradOutput', 'word', this.#tensors.gradOutput.rowBytes / 4);
    const gradOutput = { tensor: 'gradOutput', firstRow: 0, rows: 1 } as const;
    for (const piece of piecesOf(box, work, this.#task, this.#limits, this.#tuning)) {
      const { frames, sequences } = piece;
      const rows = { firstRow: piece.rows.first, rows: count(piece.rows) };
      const scores = { tensor: 'scores' as const, ...rows };
      const to = {
        ...bindings,
        scores,
        // read where rows hold vectors of four words; a window of shorter rows may be too short to bind as such
        vectors: inVectors ? scores : bindings.targets!,
        ...(both && { grad: { tensor: 'grad' as const, ...rows }, gradOutput }),
      };
      const place = {
        ...fields,
        boxFrame: frames.first,
        boxEnd: frames.end,
        boxSequence: sequences.first,
        firstRow: rows.firstRow,
        rowCount: rows.rows,
      };
      const grid = [this.groups(count(frames)), count(sequences)] as const;
      const cost = count(frames) * count(sequences) * work;
      this.dispatch(kernel, grid, place, to, cost, { constants, integers });
    }
  }

  /** The plan for a purpose, whose results are in buffers of its own. */
  end(purpose: Purpose, results: Plan['results']): Plan {
    return this.plan(purpose, this.#tensors, results);
  }

  /** The plan, once the losses are reduced. */
  finish(strategy: LossStrategy): Plan {
    const { reduction, sequences } = this.#task;
    // where the caller gives none
    this.buffer('losses', 'word', this.#tensors.losses.rowBytes / 4);
    const losses = { tensor: 'losses', firstRow: 0, rows: 1 } as const;
    this.dispatch('reduce', [1, 1], {}, { totals: 'totals', losses }, sequences, {
      constants: { ...this.together, REDUCE: reduction !== 'none' },
    });
    return this.plan(strategy, this.#tensors);
  }
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
    distinct: distinctLabels(maxTargetLength, classes),
    pairs: maxTargetLength + 1,
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
    segment: 0,
    blocks: 0,
    count: 0,
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
