import source from '../../shaders/shared/problem.wgsl?raw';

/** What a dispatch is told: the struct `Problem` of shaders/shared/problem.wgsl, where each field is explained. */
export type Problem = Record<
  | 'zero'
  | 'frames'
  | 'sequences'
  | 'classes'
  | 'labels'
  | 'distinct'
  | 'pairs'
  | 'blank'
  | 'zeroInfinity'
  | 'mean'
  | 'recordWords'
  | 'frameStride'
  | 'sequenceStride'
  | 'gradOutputStride'
  | 'firstSequence'
  | 'boxFrame'
  | 'boxEnd'
  | 'boxSequence'
  | 'firstRow'
  | 'rowCount'
  | 'emissionFrame'
  | 'emissionRows'
  | 'alphaFrame'
  | 'alphaRows'
  | 'betaFrame'
  | 'betaRows'
  | 'segment'
  | 'blocks'
  | 'count',
  number
>;

/** The fields in the shader's order: it is the only place that says it. */
export const problemFields = [...source.matchAll(/(\w+): ?[ui]32,/g)].map(
  (match) => match[1] as keyof Problem,
);

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
