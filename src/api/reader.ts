/** What aligners and decoders share: a device, tasks for shapes of problems, one-shot runs. */

import type { ProblemShape } from '../plan/plan.js';
import { tuningFor } from '../plan/tuning.js';
import {
  checkAxes,
  checkDevice,
  checkDtype,
  checkHostData,
  checkInteger,
  checkObject,
  held,
  isList,
  scoresKey,
} from '../problem/check.js';
import { CtcError, wrongKind } from '../problem/errors.js';
import type {
  CtcReaderOptions,
  Dtype,
  GpuDevice,
  Layout,
  ReaderBackend,
  Shape,
  Tensor,
} from '../problem/types.js';
import { adapterOf, deviceFor, limitsOf } from '../run/device.js';
import { forced } from './forced.js';
import type { ReadingTask } from './reading-task.js';

/** @internal */
interface ScoresOptions {
  readonly logProbs?: Shape;
  readonly logits?: Shape;
  readonly layout?: Layout;
  readonly dtype?: Dtype;
  readonly maxTargetLength?: number;
}

/** @internal */
export type Opened = Awaited<ReturnType<typeof open>>;

/** Checks options and finds a device. @internal */
export async function open(options: CtcReaderOptions = {}) {
  checkObject('options', options, ['device', 'blank']);
  const { device = 'auto', blank = 0 } = options;
  checkDevice(device);
  checkInteger('blank', blank, 0);
  return { blank, ...(await deviceFor(device)) };
}

/** A shape of problem whose scores are checked. @internal */
export type Scored = Pick<
  ProblemShape,
  'frames' | 'sequences' | 'classes' | 'layout' | 'scores' | 'dtype' | 'maxTargetLength'
>;

/** What a task is for; of the posterior, the samples that it draws. @internal */
type Purpose = 'align' | 'decode' | { readonly posterior: number };

/** @internal */
type TaskOf<T> = new (...given: ConstructorParameters<typeof ReadingTask>) => T;

/** Holds a device and the tasks on it. */
export abstract class Reader {
  /** Its name, which a bundler of the caller's may change in the class. @internal */
  protected abstract readonly kind: string;
  /** @internal */
  protected readonly blank: number;
  readonly #device: GPUDevice | undefined;
  readonly #backend: ReaderBackend;
  readonly #tasks = new Set<{ destroy(): void }>();
  #destroyed = false;

  /** @internal */
  constructor({ blank, device, ...found }: Opened) {
    this.blank = blank;
    this.#device = device;
    this.#backend = { device: device ? 'gpu' : 'cpu', ...found };
  }

  /** The device in use: the caller's or the shared one; undefined on the CPU. */
  get device(): GpuDevice | undefined {
    return this.#device as GpuDevice | undefined;
  }

  /** What runs, and why. */
  get backend(): ReaderBackend {
    return this.#backend;
  }

  /** @internal */
  protected shapeOf(options: ScoresOptions, ...more: string[]): Scored {
    checkObject('options', options, ['logProbs', 'logits', 'layout', 'dtype', ...more]);
    const scores = scoresKey(options);
    return {
      ...checkAxes(scores, '', options[scores]!, options.layout, this.blank),
      scores,
      dtype: checkDtype('dtype', options.dtype),
      maxTargetLength: more.length > 0 ? checkInteger('maxTargetLength', options.maxTargetLength, 0) : 0,
    };
  }

  /** The shape of one batch, and its data under its key. @internal */
  protected inputOf(
    input: object,
    ...more: string[]
  ): { shape: Omit<Scored, 'maxTargetLength'>; data: object } {
    checkObject('input', input, ['logProbs', 'logits', ...more]);
    const scores = scoresKey(input);
    const tensor = (input as Record<string, Tensor>)[scores]!;
    checkObject(scores, tensor, ['data', 'shape', 'layout', 'dtype']);
    const { data, shape, layout, dtype } = tensor;
    if (data === undefined) throw wrongKind(`${scores}.data`, 'a typed array or a GPUBuffer', data);
    const axes = checkAxes(`${scores}.shape`, `${scores}.`, shape, layout, this.blank);
    const elements = checkDtype(`${scores}.dtype`, dtype, data);
    // before anything of the shape's size is made
    if (isList(data)) checkHostData(scores, data, axes.frames * axes.sequences * axes.classes, elements);
    return { shape: { ...axes, scores, dtype: elements }, data: { [scores]: held(data) } };
  }

  /** Plans, allocates and compiles. @internal */
  protected async make<T extends ReadingTask>(shape: Scored, purpose: Purpose, Task: TaskOf<T>): Promise<T> {
    this.#alive();
    const ofLosses = { reduction: 'none', zeroInfinity: false, gradient: 'none', keep: [] } as const;
    const task: ProblemShape = { ...shape, ...ofLosses, blank: this.blank };
    const { limits, tuning } = forced.get(this) ?? {};
    const room = { ...limitsOf(this.#device), ...limits };
    const sizes = { ...tuningFor(adapterOf(this.#device)), ...tuning };
    const plan =
      typeof purpose === 'object'
        ? (await import('../plan/posterior-plan.js')).planPosterior(task, room, sizes, purpose.posterior)
        : (await import('../plan/align-plan.js'))[purpose === 'align' ? 'planAlign' : 'planGreedy'](
            task,
            room,
            sizes,
          );
    const machine = this.#device
      ? await (await import('../run/gpu/gpu-reader.js')).GpuReader.create(this.#device, plan)
      : new (await import('../run/cpu/cpu-reader.js')).CpuReader(plan, this.#backend);
    const made = new Task(plan, machine, this.#backend, () => this.#tasks.delete(made));
    this.#tasks.add(made);
    if (this.#destroyed) made.destroy();
    this.#alive();
    return made;
  }

  /** One batch, memory and all: whatever is wrong with it has been said before. @internal */
  protected async once<T extends ReadingTask, R>(
    shape: Scored,
    purpose: Purpose,
    Task: TaskOf<T>,
    use: (task: T) => Promise<R>,
  ): Promise<R> {
    const task = await this.make(shape, purpose, Task);
    try {
      return await use(task);
    } finally {
      task.destroy();
    }
  }

  /** Destroys the tasks that are left. A device that was given stays, and so does the shared one. May be called again. */
  destroy(): void {
    this.#destroyed = true;
    for (const task of [...this.#tasks]) task.destroy();
  }

  #alive() {
    if (this.#destroyed) throw new CtcError('destroyed', `this ${this.kind} was destroyed`);
  }
}
