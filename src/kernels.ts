import alpha from '../shaders/alpha.wgsl?raw';
import beta from '../shaders/beta.wgsl?raw';
import gradient from '../shaders/gradient.wgsl?raw';
import loss from '../shaders/loss.wgsl?raw';
import posterior from '../shaders/posterior.wgsl?raw';
import reduce from '../shaders/reduce.wgsl?raw';
import rows from '../shaders/rows.wgsl?raw';
import scales from '../shaders/scales.wgsl?raw';
import emission from '../shaders/shared/emission.wgsl?raw';
import exponential from '../shaders/shared/exponential.wgsl?raw';
import extended from '../shaders/shared/extended.wgsl?raw';
import frame from '../shaders/shared/frame.wgsl?raw';
import problem from '../shaders/shared/problem.wgsl?raw';
import sequence from '../shaders/shared/sequence.wgsl?raw';
import total from '../shaders/shared/total.wgsl?raw';
import tree from '../shaders/shared/tree.wgsl?raw';
import values from '../shaders/shared/values.wgsl?raw';

const shared = { problem, sequence, extended, exponential, values, emission, frame, total, tree };
const kernels = { rows, alpha, loss, beta, gradient, posterior, scales, reduce };

export type KernelName = keyof typeof kernels;

/** The shared files that each kernel stands on, in the order in which they are put before it. */
const needs: Record<KernelName, readonly (keyof typeof shared)[]> = {
  rows: ['problem', 'sequence', 'extended', 'exponential', 'values', 'emission', 'frame', 'tree'],
  alpha: ['problem', 'sequence', 'extended', 'exponential', 'frame'],
  loss: ['problem', 'sequence', 'extended', 'exponential', 'values', 'frame', 'total', 'tree'],
  beta: ['problem', 'sequence', 'extended', 'exponential', 'frame', 'total'],
  gradient: [
    'problem',
    'sequence',
    'extended',
    'exponential',
    'values',
    'emission',
    'frame',
    'total',
    'tree',
  ],
  posterior: ['problem', 'sequence', 'extended', 'exponential', 'values', 'total', 'tree'],
  scales: ['problem', 'sequence', 'extended', 'exponential', 'frame'],
  reduce: ['problem', 'extended', 'exponential', 'values', 'total', 'tree'],
};

/** The `const` lines of a module: what the plan fixes when it chooses a kernel. */
export type Constants = Readonly<Record<string, number | boolean>>;

export interface KernelModule {
  readonly code: string;
  /** `shaders/lattice.wgsl:41` for a line of the module. */
  place(line: number): string;
}

/** A module is a concatenation and nothing else: constants, shared files, the kernel. */
export function moduleOf(kernel: KernelName, constants: Constants): KernelModule {
  const head = Object.entries(constants)
    .map(([name, value]) => `const ${name} = ${value}${typeof value === 'number' ? 'u' : ''};\n`)
    .join('');
  const files: [name: string, text: string][] = [
    ['(constants)', head],
    ...needs[kernel].map((name): [string, string] => [`shaders/shared/${name}.wgsl`, shared[name]]),
    [`shaders/${kernel}.wgsl`, kernels[kernel]],
  ];
  return {
    code: files.map(([, text]) => text).join(''),
    place(line) {
      let before = 0;
      for (const [name, text] of files) {
        const lines = text.split('\n').length - 1;
        if (line <= before + lines) return `${name}:${line - before}`;
        before += lines;
      }
      return `${files[files.length - 1][0]}:${line - before}`;
    },
  };
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

export function entryPointOf(code: string): string {
  return /@compute[^{]*?fn (\w+)/.exec(code)![1];
}
