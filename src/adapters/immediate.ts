// Losses in one turn of the event loop, for frameworks whose gradients cannot wait: planned, compiled and encoded at once.

import { reduced } from '../api/reduced.js';
import type { Settings } from '../api/settings.js';
import { texts } from '../kernels/texts.js';
import type { Plan, ProblemShape } from '../plan/plan.js';
import { sweepsFor } from '../plan/strategies.js';
import { planSweeps } from '../plan/sweeps-plan.js';
import { tuningFor } from '../plan/tuning.js';
import type { Axes } from '../problem/check.js';
import type { CtcError } from '../problem/errors.js';
import { type Batch, longest, packRecords } from '../problem/targets.js';
import { CpuRunner } from '../run/cpu/cpu-runner.js';
import { adapterOf, limitsOf } from '../run/device.js';
import { GpuRunner } from '../run/gpu/gpu-runner.js';
import { inErrorScopesNow, whyLost } from '../run/gpu/lost.js';
import { pipelineFor } from '../run/gpu/pipelines.js';
import { programNow } from '../run/gpu/program.js';

/** Shapes whose kernels and memory are kept: the last that were asked for. */
const mostKept = 8;

/** What a loss is made for, besides its batch. */
export type LossProblem = Axes & Pick<Settings, 'blank' | 'reduction' | 'zeroInfinity' | 'gradient'>;

interface Made<R> {
  readonly runner: R;
  /** What the device said against it, some time later. */
  error?: CtcError;
}

/** Batches whose longest targets differ a little share their kernels and their memory. */
const roomFor = (labels: number) => 8 * Math.ceil(Math.max(labels, 1) / 8);

/** The losses of a device, or of the CPU: made when first needed, then used again for every batch of the same shape. */
export class Losses<R extends GpuRunner | CpuRunner> {
  readonly #device: GPUDevice | undefined;
  /** The one that was used last at the end. */
  readonly #made = new Map<string, Made<R>>();

  constructor(device?: GPUDevice) {
    this.#device = device;
  }

  /**
   * What runs such a problem, with the targets of a batch in place until the next call.
   * @throws CtcError `device-lost`, `out-of-memory`, `gpu-validation`: what the device said some time after an earlier call.
   */
  for(problem: LossProblem, batch: Batch): R {
    const lost = this.#device && whyLost(this.#device);
    if (lost) throw lost;
    const task = { ...problem, maxTargetLength: roomFor(longest(batch)) };
    const key = JSON.stringify(task);
    const made = this.#made.get(key) ?? this.#make(task);
    this.#made.delete(key);
    if (made.error) {
      made.runner.destroy();
      throw made.error;
    }
    this.#made.set(key, made);
    for (const [old, { runner }] of this.#made) {
      if (this.#made.size <= mostKept) break;
      runner.destroy();
      this.#made.delete(old);
    }
    made.runner.setRecords(packRecords(batch, task));
    return made.runner;
  }

  /** Compiles what `for` will need of a shape, while the page goes on. @throws CtcError `gpu-validation`, `device-lost`. */
  async prepare(problem: LossProblem, longestTarget: number): Promise<void> {
    const device = this.#device;
    if (!device) return;
    const maxTargetLength = roomFor(longestTarget);
    const plans = (['logits', 'none'] as const).map((gradient) =>
      this.#plan({ ...problem, gradient, maxTargetLength }),
    );
    await Promise.all(
      plans.flatMap(({ commands }) =>
        commands.map((c) => c.type === 'dispatch' && pipelineFor(device, c.kernel, c.constants)),
      ),
    );
  }

  #plan(task: LossProblem & { maxTargetLength: number }): Plan {
    const sizes = tuningFor(adapterOf(this.#device));
    const shape: ProblemShape = { ...task, scores: 'logits', dtype: 'float32', keep: [] };
    return planSweeps(shape, limitsOf(this.#device), sizes, sweepsFor(shape, sizes));
  }

  #make(task: LossProblem & { maxTargetLength: number }): Made<R> {
    const device = this.#device;
    const plan = this.#plan(task);
    if (!device) return { runner: new CpuRunner(plan, 'where the logits are') as R };
    const { result, heard } = inErrorScopesNow(
      device,
      'ctcLoss',
      () => new GpuRunner(device, plan, programNow(device, plan, texts)),
    );
    const made: Made<R> = { runner: result as R };
    heard.catch((error: CtcError) => {
      made.error = error;
    });
    return made;
  }

  /** Frees all kernels' memory. They are made again when they are needed. */
  destroy(): void {
    for (const { runner } of this.#made.values()) runner.destroy();
    this.#made.clear();
  }
}

const byDevice = new WeakMap<GPUDevice, Losses<GpuRunner>>();
let onCpu: Losses<CpuRunner> | undefined;

export function lossesOn(device: GPUDevice): Losses<GpuRunner> {
  let losses = byDevice.get(device);
  if (!losses) {
    losses = new Losses<GpuRunner>(device);
    byDevice.set(device, losses);
  }
  return losses;
}

export function lossesOnCpu(): Losses<CpuRunner> {
  onCpu ??= new Losses<CpuRunner>();
  return onCpu;
}

/** Loss and gradient of logits on the host, at once. */
export function lossNow(
  problem: LossProblem,
  batch: Batch,
  logits: Float32Array,
): { readonly losses: Float32Array<ArrayBuffer>; readonly grad?: Float32Array<ArrayBuffer> } {
  const raw = lossesOnCpu().for(problem, batch).runNow({ inputs: { logits }, outputs: {} });
  const lengths = batch.labels.map(({ length }) => length);
  const losses = Float32Array.from(reduced(raw.loss as Float64Array, problem, lengths));
  return { losses, ...(raw.grad && { grad: raw.grad as Float32Array<ArrayBuffer> }) };
}

/** Loss and gradient into buffers of the caller's, submitted. */
export function submitLoss(
  device: GPUDevice,
  problem: LossProblem,
  batch: Batch,
  buffers: { readonly logits: GPUBuffer; readonly loss: GPUBuffer; readonly grad?: GPUBuffer },
): void {
  const runner = lossesOn(device).for(problem, batch);
  const whole = (name: string, buffer: GPUBuffer) => ({ name, buffer, offset: 0, bytes: buffer.size });
  const encoder = device.createCommandEncoder({ label: 'ctc:encoder' });
  runner.encode(encoder, {
    inputs: { logits: whole('logits', buffers.logits) },
    outputs: {
      loss: whole('loss', buffers.loss),
      ...(buffers.grad && { grad: whole('grad', buffers.grad) }),
    },
  });
  device.queue.submit([encoder.finish()]);
}
