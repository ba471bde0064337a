/** Kept lattices on the device: for the host to read, for a shader of the caller's to use. */
import access from '../../../shaders/helpers/access.wgsl?raw';
import { structOf, uniformBlockBytes } from '../../kernels/uniforms.js';
import type { KeptBlock, Plan } from '../../plan/plan.js';
import { checkInteger } from '../../problem/check.js';
import type { DeviceLattice, Kept } from '../../problem/types.js';
import { latticeOf } from '../kept-lattice.js';
import { readWords } from './host.js';
import type { Memory } from './memory.js';

/** A kept lattice as float64: `read` of a task. */
export async function readLattice(
  device: GPUDevice,
  plan: Plan,
  memory: Memory,
  kept: Kept,
): Promise<Float64Array> {
  let targets: Uint32Array | undefined;
  return latticeOf(plan, kept, async (block) => {
    // with the first block the targets: those of the last submission, whichever that was
    const names = [block[kept]!, ...(block.scales ? [block.scales] : []), ...(targets ? [] : ['targets'])];
    const words = await readWords(device, ...names.map((name) => memory.buffer(name)));
    targets ??= new Uint32Array(words.at(-1)!.buffer);
    const states = words[0]!;
    // a posterior has none, and reads none
    const scales = block.scales ? words[1]! : states;
    const floats = new Float32Array(states.buffer);
    const remainders = new Float32Array(scales.buffer);
    return {
      targets,
      value: (state) => {
        const m = floats[2 * state];
        return kept === 'posterior' ? m : Math.log(m) + states[2 * state + 1] * Math.LN2;
      },
      scale: (frame) =>
        scales[3 * frame] * Math.LN2 + remainders[3 * frame + 1] + remainders[3 * frame + 2] * 2 ** 20,
    };
  });
}

/** Buffers and WGSL of what was kept: `lattice` of a task. */
export function deviceLattice({ kept, problems, task }: Plan, memory: Memory): DeviceLattice {
  const whole = (buffer: GPUBuffer) => ({ buffer, offset: 0, size: buffer.size });
  const record = 4 * problems[0].recordWords;
  const targets = memory.buffer('targets');
  return {
    blocks: kept.map((block) => ({
      sequences: [block.firstSequence, block.firstSequence + block.sequences],
      frames: [block.firstFrame, block.firstFrame + block.frames],
      entries: [
        { buffer: memory.problems, offset: block.problem * uniformBlockBytes, size: uniformBlockBytes },
        { buffer: targets, offset: block.firstSequence * record, size: block.sequences * record },
        ...namesOf(block).map((name) => whole(memory.buffer(name))),
      ].map((resource, binding) => ({ binding, resource })),
    })),
    wgsl: (group = 0) => latticeWgsl(task.keep, checkInteger('group', group, 0)),
  };
}

/** A block's buffers in the order of the snippet's bindings. */
function namesOf({ scales, alpha, beta, posterior }: KeptBlock): string[] {
  return [scales, alpha, beta, posterior].filter((name) => name !== undefined);
}

/** WGSL that declares what was kept and how to read it; nothing in it but declarations and one shared file. */
function latticeWgsl(kept: readonly Kept[], group: number): string {
  let binding = 2;
  const declare = (name: string, type: string) =>
    `@group(${group}) @binding(${binding++}) var<storage, read> ${name}: array<${type}>;\n`;
  const parts = [
    `@group(${group}) @binding(0) var<uniform> ctcProblem: CtcProblem;\n`,
    `@group(${group}) @binding(1) var<storage, read> ctcTargets: array<u32>;\n`,
    structOf('CtcProblem'),
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
  return ctcLog(ctcAlpha[place], scale.k, scale.r, scale.far);
}
`,
  beta: `
/// ln beta(t, s) of sequence n, the emission at t not included.
fn betaLog(n: u32, t: u32, s: u32) -> f32 {
  let place = ctcPlace(n, t, s, ctcProblem.betaFrame, ctcProblem.betaRows);
  if (place < 0) { return CTC_LOG_ZERO; }
  let all = ctcScales[ctcFrame(n, ctcInputLength(n) - 1u)];
  let scale = ctcScales[ctcFrame(n, t)];
  return ctcLog(ctcBeta[place], all.k - scale.k, all.r - scale.r, all.far - scale.far);
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
