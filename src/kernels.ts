import gradient from '../shaders/gradient.wgsl?raw';
import loss from '../shaders/loss.wgsl?raw';
import reduce from '../shaders/reduce.wgsl?raw';
import rows from '../shaders/rows.wgsl?raw';
import alone from '../shaders/shared/alone.wgsl?raw';
import emission from '../shaders/shared/emission.wgsl?raw';
import exponential from '../shaders/shared/exponential.wgsl?raw';
import extended from '../shaders/shared/extended.wgsl?raw';
import fixed from '../shaders/shared/fixed.wgsl?raw';
import frame from '../shaders/shared/frame.wgsl?raw';
import layout from '../shaders/shared/layout.wgsl?raw';
import problem from '../shaders/shared/problem.wgsl?raw';
import sequence from '../shaders/shared/sequence.wgsl?raw';
import together from '../shaders/shared/together.wgsl?raw';
import total from '../shaders/shared/total.wgsl?raw';
import values from '../shaders/shared/values.wgsl?raw';

const shared = { problem, layout, extended, exponential, values, frame, fixed, total };
const kernels = {
  rows: () => rows,
  loss: () => loss,
  gradient: () => gradient,
  reduce: () => reduce,
  // loaded when a plan asks for them: a strategy's own, and what only kept lattices need
  alpha: async () => (await import('../shaders/alpha.wgsl?raw')).default,
  beta: async () => (await import('../shaders/beta.wgsl?raw')).default,
  posterior: async () => (await import('../shaders/posterior.wgsl?raw')).default,
  scales: async () => (await import('../shaders/scales.wgsl?raw')).default,
};

export type KernelName = keyof typeof kernels;

/** Shared files that declare a binding, which only the kernels that use it are to bind. */
const readsScores: readonly KernelName[] = ['rows', 'gradient'];
const readsNoTargets: readonly KernelName[] = ['reduce'];

/** The `const` lines of a module: what the plan fixes when it chooses a kernel. */
export type Constants = Readonly<Record<string, number | boolean>>;

export interface KernelModule {
  readonly code: string;
  /** Name and text of what the module is made of, in its order. */
  readonly files: readonly (readonly [name: string, text: string])[];
}

/** A module is a concatenation and nothing else: constants, shared files, the kernel. */
export async function moduleOf(kernel: KernelName, constants: Constants): Promise<KernelModule> {
  const lines = Object.entries(constants).map(
    ([name, value]) => `const ${name} = ${value}${typeof value === 'number' ? 'u' : ''};\n`,
  );
  const before = {
    ...shared,
    ...(constants.ALONE ? { alone } : { together }),
    ...(!readsNoTargets.includes(kernel) && { sequence }),
    ...(readsScores.includes(kernel) && { emission }),
  };
  const files = [
    ['constants', lines.join('')],
    ...Object.entries(before).map(([name, text]) => [`shaders/shared/${name}.wgsl`, text]),
    [`shaders/${kernel}.wgsl`, await kernels[kernel]()],
  ] as [string, string][];
  return { code: files.map(([, text]) => text).join(''), files };
}

export interface KernelBinding {
  readonly name: string;
  readonly binding: number;
  readonly type: 'uniform' | 'read-only-storage' | 'storage';
}

/** The bindings that a module declares: the shader is the only place that says them. */
export function bindingsOf(code: string): KernelBinding[] {
  const declaration = /@binding\((\d+)\)\s*var<(uniform|storage, *read|storage, *read_write)>\s*(\w+)/g;
  return [...code.matchAll(declaration)].map(([, binding, space, name]) => ({
    name: name!,
    binding: Number(binding),
    type: space === 'uniform' ? 'uniform' : space!.endsWith('write') ? 'storage' : 'read-only-storage',
  }));
}
