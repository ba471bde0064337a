import access from '../shaders/access.wgsl?raw';
import type { KeptBlock, Plan } from './plan.js';
import type { Kept } from './types.js';

/** How to read one block of a kept lattice, wherever it lies. */
export interface BlockReader {
  /** Value of a state: natural logarithm for alpha and beta, probability for the posterior. */
  value(state: number): number;
  /** Sum of the frames' scales up to and including a frame. */
  scale(frame: number): number;
}

/**
 * A kept lattice as float64, [N, T, L] with L = 2·maxTargetLength + 1: frame scales added back, −Infinity (posterior: 0)
 * outside the band of states that lie on a whole path and beyond the input length.
 */
export async function latticeOf(
  plan: Plan,
  kept: Kept,
  targets: Uint32Array,
  readBlock: (block: KeptBlock) => Promise<BlockReader>,
): Promise<Float64Array> {
  const { sequences, frames, maxTargetLength } = plan.task;
  const states = 2 * maxTargetLength + 1;
  const values = new Float64Array(sequences * frames * states);
  if (kept !== 'posterior') values.fill(Number.NEGATIVE_INFINITY);
  for (const block of plan.kept) {
    const reader = await readBlock(block);
    const problem = plan.problems[block.problem];
    const [origin, rows] =
      kept === 'beta' ? [problem.betaFrame, problem.betaRows] : [problem.alphaFrame, problem.alphaRows];
    for (let part = 0; part < block.sequences; part++) {
      const n = block.firstSequence + part;
      const record = n * problem.recordWords;
      const inputLength = targets[record];
      const length = 2 * targets[record + 1] + 1;
      const end = Math.min(block.firstFrame + block.frames, inputLength);
      for (let t = block.firstFrame; t < end; t++) {
        const row = 2 * (maxTargetLength + 1) * (part * rows + ((t - origin) % rows));
        let scale = 0;
        if (kept === 'alpha') scale = reader.scale(part * frames + t);
        if (kept === 'beta')
          scale = reader.scale(part * frames + inputLength - 1) - reader.scale(part * frames + t);
        const to = (n * frames + t) * states;
        const last = Math.min(length, 2 * t + 2);
        for (let s = Math.max(0, length - 2 * (inputLength - t)); s < last; s++) {
          values[to + s] = reader.value(row + s) + scale;
        }
      }
    }
  }
  return values;
}

/** The resources of a block in the order of the snippet's bindings. */
export function resourcesOf(block: KeptBlock, kept: readonly Kept[]): string[] {
  const logarithmic = kept.includes('alpha') || kept.includes('beta');
  const order = ['alpha', 'beta', 'posterior'] as const;
  return [
    ...(logarithmic ? [block.scales!] : []),
    ...order.filter((name) => kept.includes(name)).map((name) => block[name]!),
  ];
}

/** WGSL that declares what was kept and how to read it; nothing in it but declarations and one shared file. */
export function latticeWgsl(kept: readonly Kept[], group: number): string {
  let binding = 2;
  const declare = (name: string, type: string) =>
    `@group(${group}) @binding(${binding++}) var<storage, read> ${name}: array<${type}>;\n`;
  const parts = [
    `@group(${group}) @binding(0) var<uniform> ctcProblem: CtcProblem;\n`,
    `@group(${group}) @binding(1) var<storage, read> ctcTargets: array<u32>;\n`,
    access,
  ];
  if (kept.includes('alpha') || kept.includes('beta')) parts.push(declare('ctcScales', 'CtcScale'));
  if (kept.includes('alpha')) parts.push(declare('ctcAlpha', 'vec2u'), accessors.alpha);
  if (kept.includes('beta')) parts.push(declare('ctcBeta', 'vec2u'), accessors.beta);
  if (kept.includes('posterior')) parts.push(declare('ctcPosterior', 'vec2u'), accessors.posterior);
  return parts.join('');
}

const accessors: Record<Kept, string> = {
  alpha: `
/// ln alpha(t, s) of sequence n.
fn alphaLog(n: u32, t: u32, s: u32) -> f32 {
  let place = ctcPlace(n, t, s, ctcProblem.alphaFrame, ctcProblem.alphaRows);
  if (place < 0) { return CTC_LOG_ZERO; }
  let scale = ctcScales[ctcFrame(n, t)];
  return ctcLog(ctcAlpha[place], scale.k, scale.r);
}
`,
  beta: `
/// ln beta(t, s) of sequence n, the emission at t not included.
fn betaLog(n: u32, t: u32, s: u32) -> f32 {
  let place = ctcPlace(n, t, s, ctcProblem.betaFrame, ctcProblem.betaRows);
  if (place < 0) { return CTC_LOG_ZERO; }
  let all = ctcScales[ctcFrame(n, ctcInputLength(n) - 1u)];
  let scale = ctcScales[ctcFrame(n, t)];
  return ctcLog(ctcBeta[place], all.k - scale.k, all.r - scale.r);
}
`,
  posterior: `
/// Share of the path mass of sequence n that is in state s at frame t.
fn posterior(n: u32, t: u32, s: u32) -> f32 {
  let place = ctcPlace(n, t, s, ctcProblem.alphaFrame, ctcProblem.alphaRows);
  if (place < 0) { return 0.0; }
  return bitcast<f32>(ctcPosterior[place].x);
}
`,
};
