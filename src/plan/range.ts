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
