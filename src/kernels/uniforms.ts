/**
 * What a dispatch is told: the problem's shape, and which part of it is its share. The struct of the shaders, its order in memory and
 * the type of the host are made of this list.
 */
const fields = {
  zero: 'u32', // always 0, which no compiler knows: see opaque()
  frames: 'u32', // T
  sequences: 'u32', // N
  classes: 'u32', // C
  labels: 'u32', // S: room for labels in a sequence's record
  distinct: 'u32', // D: room for distinct labels, min(S, C − 1)
  pairs: 'u32', // of blank and label in a row of the lattice: S + 1, or more
  blank: 'u32',
  zeroInfinity: 'u32',
  mean: 'u32', // 1: a loss counts 1 / (N · max(S_n, 1)) in the reduction; 0: 1
  recordWords: 'u32', // size of a sequence's record in `targets`
  frameStride: 'u32', // row of the caller's tensor = t · frameStride + n · sequenceStride
  sequenceStride: 'u32',
  candidates: 'u32', // sequences, one after another, that share such a row
  delimiter: 'u32', // class between words, where targets are texts
  gradOutputStride: 'u32', // 1: one upstream gradient for each sequence; 0: one for all

  firstSequence: 'u32', // the part of the batch that is in memory starts here
  boxFrame: 'u32', // this dispatch starts at this frame; where sweeps run, frames from here on are their steps
  boxEnd: 'u32', //   ends before this one,
  boxSequence: 'u32', //   and starts at this sequence
  firstRow: 'u32', // the window of the caller's tensor that is bound
  rowCount: 'u32',
  emissionFrame: 'u32', // the frame in row 0 of `emissions`
  emissionRows: 'u32',
  alphaFrame: 'i32', // the frame in row 0 of `lattice`; frame t is in row (t − alphaFrame) mod alphaRows
  alphaRows: 'u32',
  betaFrame: 'i32',
  betaRows: 'u32',
  segment: 'u32', // steps of a sweep, or frames, that one dispatch walks
  blocks: 'u32', // blocks of pairs that one workgroup walks through
  count: 'u32', // of what a dispatch has one invocation each for: sequences of the part, samples
} as const;

export type Problem = Record<keyof typeof fields, number>;

export const problemFields = Object.keys(fields) as (keyof Problem)[];

/** The struct in WGSL. */
export function structOf(name: string): string {
  const lines = Object.entries(fields).map(([field, type]) => `${field}: ${type},\n`);
  return `struct ${name} {\n${lines.join('')}}\n`;
}

/** Dynamic uniform offsets come in steps of 256 bytes; no device asks for more. */
export const uniformBlockBytes = 256;

/** Uniform blocks of several problems, one every 256 bytes. */
export function packProblems(problems: readonly Problem[]): Int32Array<ArrayBuffer> {
  const words = new Int32Array((problems.length * uniformBlockBytes) / 4);
  problems.forEach((problem, i) => {
    problemFields.forEach((field, j) => {
      words[(i * uniformBlockBytes) / 4 + j] = problem[field];
    });
  });
  return words;
}

/** The table behind `integer`: block i holds i. */
export function integerTable(length: number): Int32Array<ArrayBuffer> {
  const words = new Int32Array((length * uniformBlockBytes) / 4);
  for (let i = 0; i < length; i++) words[(i * uniformBlockBytes) / 4] = i;
  return words;
}
