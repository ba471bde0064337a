import gradient from '../../shaders/gradient.wgsl?raw';
import reduce from '../../shaders/reduce.wgsl?raw';
import rows from '../../shaders/rows.wgsl?raw';
import alone from '../../shaders/shared/alone.wgsl?raw';
import emission from '../../shaders/shared/emission.wgsl?raw';
import exponential from '../../shaders/shared/exponential.wgsl?raw';
import extended from '../../shaders/shared/extended.wgsl?raw';
import fixed from '../../shaders/shared/fixed.wgsl?raw';
import frame from '../../shaders/shared/frame.wgsl?raw';
import layout from '../../shaders/shared/layout.wgsl?raw';
import normaliser from '../../shaders/shared/normaliser.wgsl?raw';
import problem from '../../shaders/shared/problem.wgsl?raw';
import sequence from '../../shaders/shared/sequence.wgsl?raw';
import together from '../../shaders/shared/together.wgsl?raw';
import total from '../../shaders/shared/total.wgsl?raw';
import values from '../../shaders/shared/values.wgsl?raw';

const sequences = 'problem layout values extended sequence';
const scores = `${sequences} exponential frame emission LANES TIME`;

/** Which shared files a kernel is made of. Those in capitals have two forms. */
const madeOf = {
  rows: `${scores} normaliser`,
  gradient: `${scores} fixed total POSTERIORS`,
  reduce: 'problem values extended fixed total LANES',
  loss: `${sequences} exponential frame fixed total TIME PATHS`,
  alpha: sequences,
  beta: `${sequences} fixed total`,
  sweep: `${sequences} four HANDING TIME block`,
  meet: `${sequences} fixed total TIME PATHS`,
  spread: `${sequences} HANDING TIME block`,
  posterior: `${sequences} fixed total LANES`,
  scales: `${sequences} exponential frame`,
};

export type KernelName = keyof typeof madeOf;

/** The `const` lines of a module: what the plan fixes when it chooses a kernel. */
export type Constants = Readonly<Record<string, number | boolean>>;

export interface KernelModule {
  readonly code: string;
  /** Name and text of what the module is made of, in its order. */
  readonly files: readonly (readonly [name: string, text: string])[];
}

/** A module is a concatenation and nothing else: extensions, constants, shared files, the kernel. */
export async function moduleOf(kernel: KernelName, constants: Constants): Promise<KernelModule> {
  const { MIDDLE, ALONE, SUBGROUPS } = constants;
  const common = { rows, gradient, reduce, problem, layout, values, extended, sequence, exponential, frame };
  // a strategy is a chunk of its own
  const texts: Record<string, string> = {
    ...{ ...common, emission, normaliser, fixed, total, alone, together },
    ...(await (MIDDLE ? import('./sweeps.js') : import('./step.js'))),
    ...((kernel === 'posterior' || kernel === 'scales') && (await import('./kept.js'))),
  };
  const forms: Record<string, string> = {
    LANES: ALONE ? 'alone' : 'together',
    TIME: MIDDLE ? 'middle' : 'whole',
    POSTERIORS: MIDDLE ? 'quads' : 'pairs',
    PATHS: MIDDLE ? 'arrivals' : 'ends',
    HANDING: SUBGROUPS ? 'subgroup' : 'workgroup',
  };
  const lines = Object.entries(constants).map(
    ([name, value]) => `const ${name} = ${value}${typeof value === 'number' ? 'u' : ''};\n`,
  );
  const files = [
    ['constants', (SUBGROUPS ? 'enable subgroups;\n' : '') + lines.join('')],
    ...madeOf[kernel]
      .split(' ')
      .map((name) => forms[name] ?? name)
      .map((name) => [`shaders/shared/${name}.wgsl`, texts[name]]),
    [`shaders/${kernel}.wgsl`, texts[kernel]],
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
