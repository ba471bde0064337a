import type { Tuning } from './auto.js';
import { elementBytes, type Limits, type ProblemShape } from './plan.js';
import { uniformBlockBytes } from './problem.js';
import { recordWords } from './targets.js';

/** A half-open range of frames, sequences or rows. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

export const count = ({ first, end }: Range): number => end - first;

/** Cuts [0, total) into ranges of at most `size`. */
export function cut(total: number, size: number): Range[] {
  const ranges: Range[] = [];
  for (let first = 0; first < total; first += size)
    ranges.push({ first, end: Math.min(total, first + size) });
  return ranges;
}

function intersection(a: Range, b: Range): Range {
  return { first: Math.max(a.first, b.first), end: Math.min(a.end, b.end) };
}

/** What a strategy holds of one sequence. */
export interface Held {
  /** Steps into which its time is laid out. */
  readonly steps: number;
  /** Bytes for each of them. */
  readonly lattice: number;
  readonly emissions: number;
  /** Bytes that it holds at least, however time is cut. */
  readonly row: number;
}

/** More than this is not taken for a lattice at once, even where a device would give it. */
const mostLattice = 2 ** 30;

/**
 * How the library's own memory is split so that no buffer exceeds a binding: over the batch first, and where one
 * sequence is still too much, over time.
 * @throws RangeError naming the size that cannot be split further.
 */
export function splitMemory(
  task: ProblemShape,
  limits: Limits,
  partBytes: number,
  { steps, lattice, emissions, row }: Held,
): { parts: Range[]; slices: Range[] } {
  const { frames, sequences, classes, maxTargetLength } = task;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, mostLattice);
  const fits = (what: string, needed: number, room: number) => {
    if (needed <= room) return;
    throw new RangeError(
      `${what}: expected a size that this device can hold (${room} bytes), got ${needed} bytes`,
    );
  };
  // the lattice and the emissions together in one and a half bindings
  const perStep = Math.max(lattice, emissions, (lattice + emissions) / 1.5);
  const record = 4 * recordWords(maxTargetLength, classes);
  fits(`T = ${frames}`, elementBytes.frame * frames, most);
  fits(`maxTargetLength = ${maxTargetLength}`, Math.max(row, Math.ceil(2 * perStep)), most);
  fits(`C = ${classes} and maxTargetLength = ${maxTargetLength}`, record, most);
  fits(`N = ${sequences}`, sequences * record, limits.maxBufferSize);

  const whole = Math.max(perStep * steps, elementBytes.frame * frames, row, record);
  const perPart = Math.min(
    Math.floor(Math.min(most, partBytes) / whole) || 1,
    Math.max(1, Math.floor(limits.maxComputeWorkgroupsPerDimension / 2)),
  );
  // a slice of the step strategy has one row more: the frame before it (alpha) or after it (emissions, beta)
  const perSlice = whole <= most ? steps : Math.floor(most / perStep) - 1;
  const evenly = Math.ceil(steps / Math.ceil(steps / perSlice));
  return { parts: cut(sequences, perPart), slices: cut(steps, evenly) };
}

/** Rows of one buffer, where the library makes the buffers of a tensor. */
export function rowsPerBuffer(
  { classes, frames, sequences }: ProblemShape,
  { maxBufferSize }: Limits,
): number {
  return Math.min(Math.floor(maxBufferSize / (4 * classes)), frames * sequences);
}

/** More would be days of work, and a plan of gigabytes. */
const mostWindows = 2 ** 17;

/**
 * Ranges of rows of the caller's tensors that can be bound, and are short work for one dispatch.
 * @throws RangeError if a row is too long, or there are too many.
 */
export function splitTensor(task: ProblemShape, limits: Limits, tuning: Tuning): Range[] {
  const { classes, frames, sequences, maxTargetLength } = task;
  // a binding starts at a multiple of 256 bytes at or before its first row
  const room = Math.min(limits.maxStorageBufferBindingSize - uniformBlockBytes, limits.maxBufferSize);
  if (4 * classes > room)
    throw new RangeError(`C = ${classes}: expected a row of at most ${room} bytes, got ${4 * classes}`);
  const short = Math.floor(tuning.elementsPerDispatch / (classes + maxTargetLength));
  const perWindow = Math.max(1, Math.min(Math.floor(room / (4 * classes)), short));
  const rows = sequences * frames;
  if (rows > perWindow * mostWindows) {
    throw new RangeError(
      `T · N = ${frames} · ${sequences}: expected at most ${perWindow * mostWindows} frames in all, got ${rows}`,
    );
  }
  return cut(rows, rowsPerBuffer(task, limits)).flatMap((buffer) =>
    cut(count(buffer), perWindow).map(({ first, end }) => ({
      first: buffer.first + first,
      end: buffer.first + end,
    })),
  );
}

/** A grid of (frame, sequence). */
export interface Box {
  readonly frames: Range;
  readonly sequences: Range;
}

/** The smallest grids that hold the rows of a window which belong to a box; some of their rows may lie outside it. */
export function boxesOf(window: Range, box: Box, task: ProblemShape, limits: Limits): Box[] {
  const byTime = task.layout !== 'NTC';
  const inner = byTime ? task.sequences : task.frames;
  const outerRange = { first: Math.floor(window.first / inner), end: Math.ceil(window.end / inner) };
  const innerRange =
    count(outerRange) === 1
      ? { first: window.first - outerRange.first * inner, end: window.end - outerRange.first * inner }
      : { first: 0, end: inner };
  const frames = intersection(byTime ? outerRange : innerRange, box.frames);
  const sequences = intersection(byTime ? innerRange : outerRange, box.sequences);
  if (count(frames) <= 0 || count(sequences) <= 0) return [];
  return cut(count(frames), limits.maxComputeWorkgroupsPerDimension).map(({ first, end }) => ({
    frames: { first: frames.first + first, end: frames.first + end },
    sequences,
  }));
}

/** Fewer steps a dispatch would cost more to launch than to walk. */
export const shortestSegment = 16;

/** Steps that one dispatch walks, `pairs` in each of the blocks that go one after another: as many as are short work, but no more than keep all groups of blocks at work. */
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
