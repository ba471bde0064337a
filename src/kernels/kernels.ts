import { structOf } from './uniforms.js';

const sequences = 'problem layout values extended sequence';
const scores = `${sequences} exponential frame scores LANES TIME`;

/** Which shared files a kernel is made of. Those in capitals have several forms. */
const madeOf = {
  rows: `${scores} probability VALUES normaliser RECORDING`,
  gradient: `${scores} probability fixed total POSTERIORS softmax`,
  reduce: 'problem values extended fixed total LANES',
  loss: `${sequences} exponential frame fixed total TIME PATHS`,
  alpha: sequences,
  beta: `${sequences} fixed total`,
  sweep: `${sequences} four HANDING TIME block`,
  spread: `${sequences} HANDING TIME block`,
  posterior: `${sequences} fixed total LANES`,
  scales: `${sequences} exponential frame`,
  viterbi: `${sequences} cost costs HANDING TIME block ways`,
  arrive: `${sequences} exponential frame cost LANES ways`,
  trace: `${sequences} ways`,
  spell: `${scores} probability ways reading`,
  greedy: `${scores} probability normaliser reading`,
  draw: `${sequences} fixed total TIME random`,
  sample: `${sequences} TIME random`,
  durations: `${sequences} fixed total TIME`,
  prune: `${scores} probability normaliser reading`,
  beam: `${sequences} exponential knowledge MOVES entries selection`,
  unwind: `${sequences} exponential knowledge MOVES entries`,
};

export type KernelName = keyof typeof madeOf;
export const kernelNames = Object.keys(madeOf) as KernelName[];

/** The `const` lines of a module: what the plan fixes when it chooses a kernel. */
export type Constants = Readonly<Record<string, number | boolean>>;

export interface KernelModule {
  readonly code: string;
  /** Name and text of what the module is made of, in its order. */
  readonly files: readonly (readonly [name: string, text: string])[];
}

/** The texts of shaders and of what they share, by file name without its ending. */
export type Texts = Readonly<Record<string, string>>;

/**
 * A module is a concatenation and nothing else: extensions, constants and the struct of the uniforms, shared files, the kernel.
 * @throws Error naming a file whose text is not there.
 */
export function moduleOf(kernel: KernelName, constants: Constants, texts: Texts): KernelModule {
  const { MIDDLE, ALONE, SUBGROUPS, READING, CANDIDATES, SPELLED } = constants;
  const forms: Record<string, string> = {
    LANES: ALONE ? 'alone' : SUBGROUPS ? 'butterfly' : 'together',
    TIME: MIDDLE ? 'middle' : 'whole',
    POSTERIORS: MIDDLE ? 'quads' : 'pairs',
    PATHS: MIDDLE ? 'arrivals' : 'ends',
    HANDING: SUBGROUPS ? 'subgroup' : 'workgroup',
    VALUES: READING ? 'cost distance' : 'emission',
    RECORDING: CANDIDATES ? 'shared' : 'own',
    MOVES: SPELLED ? 'spelled' : 'written',
  };
  const lines = Object.entries(constants).map(
    ([name, value]) => `const ${name} = ${value}${typeof value === 'number' ? 'u' : ''};\n`,
  );
  const textOf = (path: string, name: string): [string, string] => {
    const text = texts[name];
    if (text === undefined) throw new Error(`${kernel}: expected the text of ${path}, got none`);
    return [path, text];
  };
  const files: [string, string][] = [
    ['constants', (SUBGROUPS && !ALONE ? 'enable subgroups;\n' : '') + lines.join('') + structOf('Problem')],
    ...madeOf[kernel]
      .split(' ')
      .flatMap((name) => (forms[name] ?? name).split(' '))
      .map((name) => textOf(`shaders/shared/${name}.wgsl`, name)),
    textOf(`shaders/${kernel}.wgsl`, kernel),
  ];
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
