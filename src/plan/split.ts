import { uniformBlockBytes } from '../kernels/uniforms.js';
import { recordWords } from '../problem/targets.js';
import { elementBytes, type Limits, type ProblemShape, recordingsOf } from './plan.js';
import { count, cut, type Range } from './range.js';
import type { Tuning } from './tuning.js';

/** What a strategy holds of one sequence, in bytes. */
export interface Held {
  /** Steps into which its time is laid out. */
  readonly steps: number;
  /** Of its largest buffer that has rows for the steps of a slice, if a slice has so many. */
  readonly slice: (steps: number) => number;
  /** Of its largest buffer that has a place for each frame, however time is cut. */
  readonly frames: number;
  /** Of its largest buffer that has one row of pairs. */
  readonly row: number;
  /** Elements that a dispatch handles of it, however time is cut. */
  readonly elements: number;
  /** The most bytes that it takes at once, even where a device would give more. */
  readonly most?: number;
}

/** More than this is not taken for a lattice at once, even where a device would give it. */
const mostLattice = 2 ** 30;

/** The bytes that a buffer may have which is bound as a whole. */
export function bindable({ maxStorageBufferBindingSize, maxBufferSize }: Limits): number {
  return Math.min(maxStorageBufferBindingSize, maxBufferSize);
}

/** Lattice and emissions of a slice share one and a half bindings; neither may be larger than one. */
export function together(lattice: number, emissions: number): number {
  return Math.max(lattice, emissions, (lattice + emissions) / 1.5);
}

/**
 * How the library's own memory is split so that no buffer exceeds a binding: over the batch first, and where one
 * sequence is still too much, over time.
 * @throws RangeError naming the size that cannot be split further.
 */
export function splitMemory(
  task: ProblemShape,
  limits: Limits,
  { partBytes, elementsPerDispatch }: Tuning,
  held: Held,
): { parts: Range[]; slices: Range[] } {
  const { frames, sequences, classes, maxTargetLength } = task;
  const most = Math.min(bindable(limits), held.most ?? mostLattice);
  const fits = (what: string, needed: number, room: number) => {
    if (needed <= room) return;
    throw new RangeError(
      `${what}: expected a size that this device can hold (${room} bytes), got ${needed} bytes`,
    );
  };
  const record = 4 * recordWords(task);
  fits(`T = ${frames}`, held.frames, most);
  fits(`maxTargetLength = ${maxTargetLength}`, Math.max(held.row, Math.ceil(held.slice(1))), most);
  fits(`C = ${classes} and maxTargetLength = ${maxTargetLength}`, record, most);
  fits(`N = ${sequences}`, sequences * record, limits.maxBufferSize);

  const whole = Math.max(held.slice(held.steps), held.frames, held.row, record);
  const perPart = Math.min(
    Math.floor(Math.min(most, partBytes) / whole) || 1,
    Math.floor(elementsPerDispatch / held.elements) || 1,
    Math.floor(limits.maxComputeWorkgroupsPerDimension / 2) || 1,
  );
  const perSlice = largest(held.steps, (steps) => held.slice(steps) <= most);
  const evenly = Math.ceil(held.steps / Math.ceil(held.steps / perSlice));
  return { parts: cutBatch(task, perPart), slices: cut(held.steps, evenly) };
}

/** Parts of at most so many sequences: of all that share some recordings, or of some that share one. */
function cutBatch({ sequences, candidates = 1 }: ProblemShape, perPart: number): Range[] {
  if (perPart >= candidates) return cut(sequences, perPart - (perPart % candidates));
  return cut(sequences, candidates).flatMap(({ first }) =>
    cut(candidates, perPart).map((part) => ({ first: first + part.first, end: first + part.end })),
  );
}

/** The largest integer from 1 to `end` that is not too large; 1 never is. */
function largest(end: number, fits: (size: number) => boolean): number {
  if (fits(end)) return end;
  let [good, bad] = [1, end];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** Rows of one buffer, where the library makes the buffers of a tensor. */
export function rowsPerBuffer(task: ProblemShape, { maxBufferSize }: Limits): number {
  return Math.min(Math.floor(maxBufferSize / (4 * task.classes)), task.frames * recordingsOf(task));
}

/** A grid of (frame, sequence). */
export interface Box {
  readonly frames: Range;
  readonly sequences: Range;
}

/** A box that is short work for one dispatch, and the rows of the caller's tensors from its first to its last. */
export interface Piece extends Box {
  readonly rows: Range;
}

/**
 * Cuts a box into pieces whose rows lie in one buffer and can be bound. Only rows of the box are in its pieces, each in one, so
 * that there are as many of them as the work of the box asks for, whatever else is in the tensor.
 * @throws RangeError if a row is too long.
 */
export function piecesOf(
  box: Box,
  workOfRow: number,
  task: ProblemShape,
  limits: Limits,
  tuning: Tuning,
): Piece[] {
  const { classes } = task;
  // a binding starts at a multiple of 256 bytes at or before its first row
  const room = Math.min(limits.maxStorageBufferBindingSize - uniformBlockBytes, limits.maxBufferSize);
  if (4 * classes > room)
    throw new RangeError(`C = ${classes}: expected a row of at most ${room} bytes, got ${4 * classes}`);
  const bound = Math.floor(room / (4 * classes));
  const perBuffer = rowsPerBuffer(task, limits);
  const short = Math.max(1, Math.floor(tuning.elementsPerDispatch / workOfRow));
  const wide = limits.maxComputeWorkgroupsPerDimension;

  // the tensor has a line for each frame or for each sequence, which has a row for each of the other
  const byTime = task.layout !== 'NTC';
  const perLine = byTime ? recordingsOf(task) : task.frames;
  const [lines, places] = byTime ? [box.frames, box.sequences] : [box.sequences, box.frames];
  const pieces: Piece[] = [];
  const add = (lines: Range, places: Range) =>
    pieces.push({
      ...(byTime ? { frames: lines, sequences: places } : { frames: places, sequences: lines }),
      rows: {
        first: lines.first * perLine + places.first,
        end: (lines.end - 1) * perLine + places.end,
      },
    });
  const leftInBuffer = (row: number) => perBuffer - (row % perBuffer);
  const width = count(places);
  for (let line = lines.first; line < lines.end; ) {
    const rows = Math.min(bound, leftInBuffer(line * perLine + places.first));
    const whole =
      width > Math.min(rows, short, wide)
        ? 0
        : Math.min(
            1 + Math.floor((rows - width) / perLine),
            Math.floor(short / width),
            wide,
            lines.end - line,
          );
    const end = line + Math.max(whole, 1);
    if (whole > 0) add({ first: line, end }, places);
    else {
      for (let first = places.first; first < places.end; ) {
        const size = Math.min(bound, leftInBuffer(line * perLine + first), short, wide, places.end - first);
        add({ first: line, end }, { first, end: first + size });
        first += size;
      }
    }
    line = end;
  }
  return pieces;
}

/** Fewer steps a dispatch would cost more to launch than to walk. */
export const shortestSegment = 16;

/**
 * Steps that one dispatch walks through `blocks` blocks of so many pairs, one after another: the most for which the dispatch is short, but
 * so few that all groups of blocks, each of which starts a segment later than the one to its left, are at work at the same time.
 */
export function segmentOf(
  steps: number,
  pairs: number,
  blocks: number,
  groups: number,
  { elementsPerDispatch, stepsPerDispatch }: Tuning,
): number {
  const short = Math.floor(Math.min(elementsPerDispatch / pairs, stepsPerDispatch) / blocks);
  const shared = groups === 1 ? steps : Math.ceil(steps / (4 * groups));
  return Math.max(1, Math.min(steps, short, Math.max(shortestSegment, shared)));
}

/** The longest segment, two of which have room for a number at each of so many edges of blocks. */
export function edgeSteps(edges: number, limits: Limits): number {
  return Math.floor(bindable(limits) / (2 * elementBytes.edge * edges));
}
