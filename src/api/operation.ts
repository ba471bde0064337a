import type { Limits, Plan, ProblemShape } from '../plan/plan.js';
import { type Tuning, tuningFor } from '../plan/tuning.js';
import {
  type Axes,
  checkAxes,
  checkDtype,
  checkHostData,
  checkInteger,
  checkKeep,
  checkObject,
  checkRunOptions,
  held,
  isList,
  type ScoresKey,
  scoresKey,
  scoresKeys,
} from '../problem/check.js';
import { CtcError, wrongKind } from '../problem/errors.js';
import { lazily, preload } from '../problem/load.js';
import { type Batch, checkTargets, longest } from '../problem/targets.js';
import type {
  GpuDevice,
  Lengths,
  RunOptions,
  Shape,
  TargetLengths,
  Targets,
  Tensor,
} from '../problem/types.js';
import type { Kernel } from '../run/cpu/buffers.js';
import { adapterOf, deviceFor, limitsOf } from '../run/device.js';
import type { Runner } from '../run/runner.js';
import type { Backend } from './contracts.js';
import { disposes } from './disposes.js';
import { forced } from './forced.js';
import { checkSettings, type Settings } from './settings.js';
import type { Task, TaskDefinition } from './task.js';

const cpuRunner = lazily('cpu', () => import('../run/cpu/cpu-runner.js'));
const gpuRunner = lazily('gpu', () => import('../run/gpu/gpu-runner.js'));

/** All in which one operation differs from another. */
export interface Definition extends TaskDefinition {
  /** Options of `create` besides `device` and `blank`. */
  readonly settings: readonly (keyof Settings)[];
  /** Options of `prepare` besides the scores and the blank. */
  readonly sizes: readonly ('maxTargetLength' | 'keep' | 'samples' | 'candidates')[];
  /** Keys of the input of a one-shot `run` besides scores, blank, targets and lengths. */
  readonly inputs: readonly string[];
  /** Whether it has targets; else sequences have lengths alone. */
  readonly hasTargets: boolean;
  /** Whether targets may hold the star. */
  readonly stars?: boolean;
  /** Where a recording has several targets: what is in an input of `run` in their place. */
  readonly candidatesOf?: (
    input: Candidacy,
    axes: TextAxes,
    blank: number,
  ) => Batch & { readonly candidates: number };
  /** A plan whose turn comes after that of the task, on the same scores. */
  planAfter?(shape: ProblemShape, limits: Limits, tuning: Tuning): Plan;
  /** Its plan for a shape of problem. A chunk of its own, with its kernels. */
  plan(shape: ProblemShape, limits: Limits, tuning: Tuning, strategy: Settings['strategy']): Promise<Plan>;
  /** Twins of kernels that no other operation has, by name. */
  twins?(): Promise<Readonly<Record<string, Kernel>>>;
  /** What lies in buffers of the plan's own before anything runs, by name. */
  contents?(shape: ProblemShape): Readonly<Record<string, Uint32Array<ArrayBuffer>>>;
  /** What a run of scores without any frames answers, where that is not refused; on the host alone. */
  empty?(axes: TextAxes & Pick<ProblemShape, 'prefixes'>, batch: Batch): object;
  /** The class of its tasks. */
  readonly Task: new (
    ...given: ConstructorParameters<typeof Task>
  ) => Task;
}

/** Targets of which a recording has several. */
export interface Candidacy {
  readonly candidates: unknown;
  readonly inputLengths?: Lengths | undefined;
}

/** Of texts also the class between their words. */
export type TextAxes = Axes & { readonly delimiter?: number | undefined };

type Opened = { readonly settings: Settings } & Awaited<ReturnType<typeof deviceFor>>;

/** Checks the options of `create` and finds a device. */
export async function open(definition: Definition, options: object = {}): Promise<Opened> {
  const settings = checkSettings(options, definition.settings);
  const found = await deviceFor(settings.device);
  if (settings.preload) await preload(found.device ? 'gpu' : 'cpu');
  return { settings, ...found };
}

/** What is told of a problem besides its data, under the keys of `prepare` and `run`. */
interface Sized {
  readonly blank?: number;
  readonly maxTargetLength?: number;
  readonly keep?: ProblemShape['keep'];
  readonly samples?: number;
  readonly candidates?: number;
}

/** A device, tasks for shapes of problems, and runs of one batch: what all operations have in common. */
export class Operation {
  /** Class of the blank where `prepare` and `run` are not told another. */
  readonly blank: number;
  readonly #definition: Definition;
  readonly #settings: Settings;
  readonly #device: GPUDevice | undefined;
  readonly #found: Omit<Backend, 'strategy'>;
  readonly #tasks = new Set<{ destroy(): void }>();
  #destroyed = false;

  /** @internal */
  protected constructor(definition: Definition, opened: Opened) {
    if (!definition?.plan || !opened?.settings)
      throw new TypeError(
        `${new.target.name}: expected await ${new.target.name}.create(options), got new ${new.target.name}()`,
      );
    const { settings, device, ...found } = opened;
    this.#definition = definition;
    this.#settings = settings;
    this.blank = settings.blank;
    this.#device = device;
    this.#found = { device: device ? 'gpu' : 'cpu', ...found };
  }

  /** The device in use: the caller's or the shared one; undefined on the CPU. */
  get device(): GpuDevice | undefined {
    return this.#device as GpuDevice | undefined;
  }

  /** What runs, and why. */
  get backend(): Omit<Backend, 'strategy'> {
    return this.#backend(this.#settings.strategy);
  }

  /** With the strategy, where an operation has some. */
  #backend(strategy: string): Omit<Backend, 'strategy'> {
    const has = this.#definition.settings.includes('strategy');
    return { ...this.#found, ...(has && { strategy }) };
  }

  /** @internal */
  protected async prepareTask<T>(options: object): Promise<Task & T> {
    const { sizes, hasTargets } = this.#definition;
    checkObject('options', options, [...scoresKeys, 'layout', 'dtype', 'blank', ...sizes]);
    const given = options as Sized & Record<ScoresKey, Shape> & Omit<Tensor, 'data' | 'shape'>;
    const scores = scoresKey(given);
    const blank = this.#blankOf(given);
    const axes = checkAxes(scores, '', given[scores], given.layout, blank);
    const dtype = checkDtype('dtype', given.dtype);
    const maxTargetLength = hasTargets ? checkInteger('maxTargetLength', given.maxTargetLength, 0) : 0;
    const task = { ...axes, scores, dtype, blank, maxTargetLength, ...sized(given) };
    return (await this.#make(task)) as Task & T;
  }

  /** @internal */
  protected async runOnce<R>(input: object, options?: RunOptions): Promise<R> {
    const { inputs, sizes, hasTargets, stars, candidatesOf } = this.#definition;
    const { delimiter, prefixes } = this.#settings;
    const own = held(input) as Sized & Record<ScoresKey, Tensor> & Record<string, unknown>;
    const runOptions = checkRunOptions(options);
    const lengths =
      hasTargets && !candidatesOf ? ['targets', 'inputLengths', 'targetLengths'] : ['inputLengths'];
    checkObject('input', own, [...scoresKeys, 'blank', ...lengths, ...inputs, 'results']);
    const scores = scoresKey(own);
    const tensor = own[scores];
    checkObject(scores, tensor, ['data', 'shape', 'layout', 'dtype']);
    const { data, shape, layout } = tensor;
    if (data === undefined) throw wrongKind(`${scores}.data`, 'a typed array or a GPUBuffer', data);
    const blank = this.#blankOf(own);
    const { empty } = this.#definition;
    const axes = checkAxes(`${scores}.shape`, `${scores}.`, shape, layout, blank, empty ? 0 : 1);
    const dtype = checkDtype(`${scores}.dtype`, tensor.dtype, data);
    // before anything of the shape's size is made
    if (isList(data)) checkHostData(scores, data, axes.frames * axes.sequences * axes.classes, dtype);
    const targets = hasTargets ? (own.targets as Targets) : Array(axes.sequences).fill([]);
    const batch = candidatesOf
      ? candidatesOf(own as Candidacy, { ...axes, delimiter }, blank)
      : checkTargets(targets, own as TargetLengths, { ...axes, stars }, blank);
    if (empty && axes.frames === 0 && isList(data))
      return { backend: this.backend, ...empty({ ...axes, delimiter, prefixes }, batch) } as R;
    const size = sized({ ...own, ...batch });
    const task = await this.#make({
      ...axes,
      scores,
      dtype,
      blank,
      maxTargetLength: longest(batch),
      ...size,
    });
    try {
      task.setBatch(batch);
      const rest = inputs
        .filter((name) => !(sizes as readonly string[]).includes(name))
        .map((name) => [name, own[name]]);
      const given = { [scores]: data, ...Object.fromEntries(rest), results: own.results };
      return (await task.run(given, runOptions)) as R;
    } finally {
      task.destroy();
    }
  }

  #blankOf({ blank = this.blank }: Sized): number {
    return checkInteger('blank', blank, 0);
  }

  /** Plans, allocates and compiles. */
  async #make(shape: Omit<ProblemShape, 'reduction' | 'zeroInfinity' | 'gradient'>): Promise<Task> {
    this.#alive();
    const { limits, tuning } = forced.get(this) ?? {};
    const device = this.#device;
    const { reduction, zeroInfinity, gradient, strategy, delimiter, prefixes } = this.#settings;
    const { stars } = this.#definition;
    const task = {
      ...shape,
      reduction,
      zeroInfinity,
      gradient,
      ...(stars && { stars }),
      ...{ delimiter, prefixes },
    };
    const room = { ...limitsOf(device), ...limits };
    const sizes = { ...tuningFor(adapterOf(device)), ...tuning };
    const plan = await this.#definition.plan(task, room, sizes, strategy);
    const backend = this.#backend(plan.name);
    const runner = await this.#runnerOf(plan);
    for (const [name, words] of Object.entries(this.#definition.contents?.(task) ?? {}))
      runner.fill(name, words);
    const after = this.#definition.planAfter?.(task, room, sizes);
    const leave = (error: unknown) => {
      runner.destroy();
      throw error;
    };
    const second = after && { plan: after, runner: await this.#runnerOf(after).catch(leave) };
    const made = new this.#definition.Task(
      this.#definition,
      plan,
      runner,
      backend,
      () => this.#tasks.delete(made),
      second,
    );
    this.#tasks.add(made);
    if (this.#destroyed) made.destroy();
    this.#alive();
    return made;
  }

  async #runnerOf(plan: Plan): Promise<Runner> {
    return this.#device
      ? await (await gpuRunner()).GpuRunner.create(this.#device, plan)
      : new (await cpuRunner()).CpuRunner(plan, this.#found.reason, await this.#definition.twins?.());
  }

  /** Destroys the tasks that are left. A device that was given stays, and so does the shared one. May be called again. */
  destroy(): void {
    this.#destroyed = true;
    for (const task of [...this.#tasks]) task.destroy();
  }

  #alive() {
    if (this.#destroyed) throw new CtcError('destroyed', `this ${this.constructor.name} was destroyed`);
  }
}

disposes(Operation);

function sized({ keep, samples, candidates }: Sized): Pick<ProblemShape, 'keep' | 'samples' | 'candidates'> {
  return {
    keep: checkKeep(keep),
    ...(samples !== undefined && { samples: checkInteger('samples', samples, 0) }),
    candidates,
  };
}
