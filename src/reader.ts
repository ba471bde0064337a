/** What aligners and decoders share: a device, tasks for shapes of problems, one-shot runs. */
import { tuningFor } from './auto.js';
import {
  checkAxes,
  checkChoice,
  checkDtype,
  checkHostData,
  checkInteger,
  checkObject,
  isList,
  scoresKey,
} from './check.js';
import { adapterOf, deviceFor, limitsOf } from './device.js';
import { CtcError, wrongKind } from './errors.js';
import { forced } from './forced.js';
import type { Plan, ProblemShape } from './plan.js';
import { ReadingTask } from './reading-task.js';
import type { CtcReaderOptions, Dtype, GpuDevice, Layout, ReaderBackend, Shape, Tensor } from './types.js';

interface ScoresOptions {
  readonly logProbs?: Shape;
  readonly logits?: Shape;
  readonly layout?: Layout;
  readonly dtype?: Dtype;
  readonly maxTargetLength?: number;
}

export type Opened = Awaited<ReturnType<typeof open>>;

/** Checks options and finds a device. */
export async function open(options: CtcReaderOptions = {}) {
  checkObject('options', options, ['device', 'blank']);
  const { device = 'auto', blank = 0 } = options;
  if (typeof (device as GPUDevice | null)?.createBuffer !== 'function')
    checkChoice('device', device, ['auto', 'gpu', 'cpu'], 'a GPUDevice or ');
  checkInteger('blank', blank, 0);
  return { blank, ...(await deviceFor(device)) };
}

export class Reader {
  readonly blank: number;
  readonly #kind: 'align' | 'decode';
  readonly #device: GPUDevice | undefined;
  readonly #backend: ReaderBackend;
  readonly #tasks = new Set<{ destroy(): void }>();
  #destroyed = false;

  constructor(kind: 'align' | 'decode', { blank, device, ...found }: Opened) {
    this.blank = blank;
    this.#kind = kind;
    this.#device = device;
    this.#backend = { device: device ? 'gpu' : 'cpu', ...found };
  }

  get device(): GpuDevice | undefined {
    return this.#device as GpuDevice | undefined;
  }

  get backend(): ReaderBackend {
    return this.#backend;
  }

  /** Plans, allocates and compiles for one shape of problem. */
  async prepare(options: ScoresOptions): Promise<ReadingTask> {
    const aligns = this.#kind === 'align';
    const keys = ['logProbs', 'logits', 'layout', 'dtype', ...(aligns ? ['maxTargetLength'] : [])];
    checkObject('options', options, keys);
    const scores = scoresKey(options);
    return this.make({
      ...checkAxes(scores, '', options[scores]!, options.layout, this.blank),
      scores,
      dtype: checkDtype('dtype', options.dtype),
      maxTargetLength: aligns ? checkInteger('maxTargetLength', options.maxTargetLength, 0) : 0,
    });
  }

  async make(
    shape: Pick<
      ProblemShape,
      'frames' | 'sequences' | 'classes' | 'layout' | 'scores' | 'dtype' | 'maxTargetLength'
    >,
  ): Promise<ReadingTask> {
    this.#alive();
    const ofLosses = { reduction: 'none', zeroInfinity: false, gradient: 'none', keep: [] } as const;
    const task: ProblemShape = { ...shape, ...ofLosses, blank: this.blank };
    const { limits, tuning } = forced.get(this) ?? {};
    const room = { ...limitsOf(this.#device), ...limits };
    const sizes = { ...tuningFor(adapterOf(this.#device)), ...tuning };
    const { planAlign, planGreedy } = await import('./align.js');
    const plan: Plan = (this.#kind === 'align' ? planAlign : planGreedy)(task, room, sizes);
    const machine = this.#device
      ? await (await import('./gpu/reader.js')).GpuReader.create(this.#device, plan)
      : new (await import('./cpu/reader.js')).CpuReader(plan, this.#backend);
    const made = new ReadingTask(plan, machine, this.#backend, () => this.#tasks.delete(made));
    this.#tasks.add(made);
    if (this.#destroyed) made.destroy();
    this.#alive();
    return made;
  }

  /** One batch from beginning to end; `prepare` gives the new task its targets. */
  async run<T>(
    input: object,
    keys: readonly string[],
    prepare: (shape: Omit<Parameters<Reader['make']>[0], 'maxTargetLength'>) => Promise<ReadingTask>,
    use: (task: ReadingTask, data: object) => Promise<T>,
  ): Promise<T> {
    checkObject('input', input, ['logProbs', 'logits', ...keys]);
    const scores = scoresKey(input);
    const tensor = (input as Record<string, Tensor>)[scores]!;
    checkObject(scores, tensor, ['data', 'shape', 'layout', 'dtype']);
    const { data, shape, layout, dtype } = tensor;
    if (data === undefined) throw wrongKind(`${scores}.data`, 'a typed array or a GPUBuffer', data);
    const axes = checkAxes(`${scores}.shape`, `${scores}.`, shape, layout, this.blank);
    const elements = checkDtype(`${scores}.dtype`, dtype, data);
    // before anything of the shape's size is made
    if (isList(data)) checkHostData(scores, data, axes.frames * axes.sequences * axes.classes, elements);
    const task = await prepare({ ...axes, scores, dtype: elements });
    try {
      return await use(task, { [scores]: data });
    } finally {
      task.destroy();
    }
  }

  destroy(): void {
    this.#destroyed = true;
    for (const task of [...this.#tasks]) task.destroy();
  }

  #alive() {
    if (this.#destroyed)
      throw new CtcError(
        'destroyed',
        `this ${this.#kind === 'align' ? 'CtcAligner' : 'CtcDecoder'} was destroyed`,
      );
  }
}
