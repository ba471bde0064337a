import type { Constants } from '../kernels/kernels.js';
import { type Problem, problemFields } from '../kernels/uniforms.js';
import { distinctLabels, recordWords } from '../problem/targets.js';
import {
  type Binding,
  type ElementRange,
  type Limits,
  type Plan,
  PlanRecording,
  type Port,
  type ProblemShape,
  portBytes,
  recordingsOf,
} from './plan.js';
import { count, type Range } from './range.js';
import { type Box, piecesOf, rowsPerBuffer } from './split.js';
import type { Tuning } from './tuning.js';

export type Bindings = Readonly<Record<string, Binding | string>>;

/** The form in which a row is left to one invocation. */
const alone: Constants = { ALONE: true };

/** Bindings to buffers of the same names. */
export function named(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, name]));
}

/** A plan as it is made: what all strategies share. The rows of the caller's tensors come in, and go out as gradients. */
export class Draft extends PlanRecording {
  readonly #task: ProblemShape;
  readonly #limits: Limits;
  readonly #tuning: Tuning;
  readonly #rowsPerGroup: number;
  /** How the lanes of a workgroup share the rows of a tensor or of a lattice: a form of the kernels. */
  readonly share: Constants;
  /** The form in which a workgroup has a row of its own, however short rows are. */
  readonly together: Constants;

  constructor(task: ProblemShape, limits: Limits, tuning: Tuning, middle: boolean, fields: Partial<Problem>) {
    super(
      task,
      limits,
      { ...problemOf(task), ...fields },
      {
        MIDDLE: middle,
        WORKGROUP: tuning.workgroupSize,
        TEXTS: task.delimiter !== undefined,
        ...{ LOGITS: task.scores === 'logits', PROBS: task.scores === 'probs' },
      },
    );
    this.#task = task;
    this.#limits = limits;
    this.#tuning = tuning;
    this.input(task.scores, this.#rows(task.dtype === 'float32' ? 'float' : 'half'));
    // by C alone, since a sequence's bits must not depend on its batch
    const isAlone = task.classes < tuning.sharedRow;
    this.#rowsPerGroup = isAlone ? tuning.workgroupSize : 1;
    this.together = { ALONE: false, WORKGROUP: tuning.rowWorkgroupSize, SUBGROUPS: tuning.subgroups };
    this.share = isAlone ? alone : this.together;
    this.buffer('targets', 'word', task.sequences * recordWords(task));
  }

  /** The targets of a part of the batch. */
  targetsOf(part: Range): ElementRange {
    const words = recordWords(this.#task);
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
    kernel: 'rows' | 'gradient' | 'spell' | 'greedy' | 'prune',
    box: Box,
    fields: Partial<Problem>,
    bindings: Bindings,
    more: Constants = {},
  ): void {
    const { classes, dtype, gradient, maxTargetLength, scores: shiftOf, candidates = 1 } = this.#task;
    const both = kernel === 'gradient';
    // of a row the gradient looks at every state, the others at a label once however often it occurs
    const labels = both ? maxTargetLength : distinctLabels(this.#task);
    // of a recording that has been heard each candidate looks at its own labels: little work for a lane
    const { CANDIDATES } = more;
    const work = CANDIDATES ? 1 + labels : classes + labels;
    const perRow = CANDIDATES ? candidates : 1;
    const perGroup = CANDIDATES ? this.#tuning.workgroupSize : this.#rowsPerGroup;
    const constants = {
      ...(CANDIDATES ? alone : this.share),
      HALF: dtype !== 'float32',
      BRAIN: dtype === 'bfloat16',
      ...(both && { SOFTMAX: gradient === 'logits' }),
      ...more,
    };
    // how far a window's first row is from where its binding starts
    const integers = { integer: { shiftOf }, ...(both && { gradShift: { shiftOf: 'grad' } }) };
    const inVectors = dtype === 'float32' && classes >= 4;
    const gradOutput = { port: 'gradOutput', firstRow: 0, rows: 1 };
    const recordings = {
      first: Math.floor(box.sequences.first / perRow),
      end: Math.ceil(box.sequences.end / perRow),
    };
    const workOfRow = work * Math.min(perRow, count(box.sequences));
    const rowsBox = { frames: box.frames, sequences: recordings };
    for (const piece of piecesOf(rowsBox, workOfRow, this.#task, this.#limits, this.#tuning)) {
      const { frames } = piece;
      const sequences = {
        first: Math.max(box.sequences.first, piece.sequences.first * perRow),
        end: Math.min(box.sequences.end, piece.sequences.end * perRow),
      };
      const rows = { firstRow: piece.rows.first, rows: count(piece.rows) };
      const scores = { port: shiftOf, ...rows };
      const to = {
        ...bindings,
        scores,
        // read where rows hold vectors of four words; a window of shorter rows may be too short to bind as such
        vectors: inVectors ? scores : bindings.targets!,
        ...(both && { grad: { port: 'grad', ...rows }, gradOutput }),
      };
      const place = {
        ...fields,
        boxFrame: frames.first,
        boxEnd: frames.end,
        boxSequence: sequences.first,
        firstRow: rows.firstRow,
        rowCount: rows.rows,
      };
      const grid = [Math.ceil(count(frames) / perGroup), count(sequences)] as const;
      const cost = count(frames) * count(sequences) * work;
      this.dispatch(kernel, grid, place, to, cost, { constants, integers });
    }
  }

  /** A buffer of the plan that comes out as it is, with a row for each sequence. */
  result(name: string, element: 'word' | 'float', perSequence: number, buffer = name): string {
    const { sequences } = this.#task;
    const count = sequences * perSequence;
    this.buffer(buffer, element, count);
    return this.output(name, {
      ...{ element, rows: 1, rowBytes: 4 * count, rowsPerBuffer: 1 },
      ...{ access: 'copy', alignment: 4, buffer },
    });
  }

  /** A number that goes in: an integer of 32 bits, which is copied to where the kernels look for it. */
  number(name: string, value: number): string {
    this.buffer(name, 'word', 1);
    return this.input(name, {
      ...{ element: 'word', rows: 1, rowBytes: 4, rowsPerBuffer: 1 },
      ...{ access: 'copy', alignment: 4, buffer: name, default: value },
    });
  }

  /** Rows of classes, as the scores have them. */
  #rows(element: Port['element']): Port {
    const { classes, frames } = this.#task;
    const rowBytes = classes * portBytes[element];
    return {
      ...{ element, rows: recordingsOf(this.#task) * frames, rowBytes, access: 'window', alignment: 4 },
      rowsPerBuffer: rowsPerBuffer(this.#task, this.#limits),
    };
  }

  /** A number for each loss that comes out. */
  #reduced(buffer: string): Port {
    const count = this.#task.reduction === 'none' ? this.#task.sequences : 1;
    this.buffer(buffer, 'word', count);
    return {
      ...{ element: 'float', rows: 1, rowBytes: 4 * count, rowsPerBuffer: 1 },
      ...{ access: 'window', alignment: 256, buffer },
    };
  }

  /** The plan of a loss, once the losses are reduced; they come out under a name. */
  finish(strategy: string, loss = 'loss'): Plan {
    const { reduction, sequences, gradient } = this.#task;
    this.output(loss, { ...this.#reduced('losses'), totals: 'totals' });
    if (gradient !== 'none') {
      this.input('gradOutput', { ...this.#reduced('gradOutput'), default: 1 });
      this.output('grad', this.#rows('float'));
    }
    const losses = { port: loss, firstRow: 0, rows: 1 };
    this.dispatch('reduce', [1, 1], {}, { totals: 'totals', losses }, sequences, {
      constants: { ...this.together, REDUCE: reduction !== 'none' },
    });
    return this.plan(strategy);
  }
}

const none = Object.fromEntries(problemFields.map((field) => [field, 0])) as Problem;

/** What every dispatch is told of the problem; the fields of its own share come on top. */
function problemOf(task: ProblemShape): Problem {
  const { frames, sequences, classes, maxTargetLength, candidates = 1 } = task;
  const recordings = recordingsOf(task);
  return {
    ...none,
    frames,
    sequences,
    classes,
    labels: maxTargetLength,
    distinct: distinctLabels(task),
    pairs: maxTargetLength + 1,
    blank: task.blank,
    zeroInfinity: Number(task.zeroInfinity),
    mean: Number(task.reduction === 'mean'),
    recordWords: recordWords(task),
    frameStride: task.layout === 'NTC' ? 1 : recordings,
    sequenceStride: task.layout === 'NTC' ? frames : 1,
    candidates,
    delimiter: task.delimiter ?? 0,
    gradOutputStride: Number(task.reduction === 'none'),
    emissionRows: 1,
    alphaRows: 1,
    betaRows: 1,
  };
}
