/** The library in a browser, as an application would use it. */
import {
  type Backend,
  CtcAligner,
  CtcDecoder,
  CtcLoss,
  CtcPosterior,
  type LossInput,
  type Reduction,
  type Shape,
} from 'webgpu-ctc';

export interface GoldenJob {
  readonly blank: number;
  readonly zeroInfinity: boolean;
  readonly input: LossInput<Shape, Float32Array>;
  /** Upstream gradients for another run with reduction `none`. */
  readonly weights?: number[] | undefined;
}
interface Result {
  readonly loss: number | Float32Array;
  readonly grad: Float32Array;
}
export type GoldenResult = Record<Reduction, Result> & { readonly weighted?: Result };

export async function golden(jobs: GoldenJob[]): Promise<{ backend: Backend; results: GoldenResult[] }> {
  const { backend } = await CtcLoss.create({ device: 'gpu' });
  const results: GoldenResult[] = [];
  for (const { blank, zeroInfinity, input, weights } of jobs) {
    const run = async (reduction: Reduction, gradOutput?: number[]) => {
      const ctc = await CtcLoss.create({ device: 'gpu', blank, zeroInfinity, reduction });
      const { loss, grad } = await ctc.run({ ...input, ...(gradOutput && { gradOutput }) });
      ctc.destroy();
      return { loss, grad };
    };
    results.push({
      none: await run('none'),
      sum: await run('sum'),
      mean: await run('mean'),
      ...(weights && { weighted: await run('none', weights) }),
    });
  }
  return { backend, results };
}

/** Confident scores and labels by a formula, prepared. */
async function longTask(frames: number, classes: number, labels: number) {
  const ctc = await CtcLoss.create({ device: 'gpu', reduction: 'sum' });
  const task = await ctc.prepare({ logits: [frames, 1, classes], maxTargetLength: labels });
  task.setTargets([Array.from({ length: labels }, (_, i) => 1 + ((i * i) % (classes - 1)))]);
  return { task, logits: Float32Array.from({ length: frames * classes }, (_, i) => 4 * Math.sin(i * i)) };
}

/** Milliseconds of a run, and between the ticks of a timer of 10 ms while it ran, the longest first. */
export async function timerGaps(frames: number, classes: number, labels: number) {
  const { task, logits } = await longTask(frames, classes, labels);
  const gaps: number[] = [];
  const start = performance.now();
  let last = start;
  const tick = () => {
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  };
  const timer = setInterval(tick, 10);
  const { loss, backend } = await task.run({ logits });
  tick();
  clearInterval(timer);
  const milliseconds = performance.now() - start;
  task.destroy();
  return { backend, loss, milliseconds, gaps: gaps.sort((a, b) => b - a) };
}

/** A run, one that a timer aborts in its middle, and one more. */
export async function abortInTheMiddle(frames: number, classes: number, labels: number) {
  const { task, logits } = await longTask(frames, classes, labels);
  const { loss } = await task.run({ logits });
  const controller = new AbortController();
  let aborted = 0;
  let share = 0;
  const abort = () => {
    aborted = performance.now();
    controller.abort('enough');
  };
  const onProgress = (done: number) => {
    if (share === 0) setTimeout(abort, 5);
    share = done;
  };
  const outcome = await task.run({ logits }, { signal: controller.signal, onProgress }).then(
    () => 'it was fulfilled',
    (error: unknown) => error,
  );
  const delay = performance.now() - aborted;
  const again = (await task.run({ logits })).loss;
  task.destroy();
  return { loss, outcome, share, delay, again };
}

/** The best path, the greedy reading and durations of one sequence, on the GPU and on the CPU. */
export async function read(data: Float32Array, shape: readonly [number, number], targets: number[]) {
  const logits = { data, shape };
  const on = async (device: 'gpu' | 'cpu') => {
    const { labels, scores, score, backend } = await (await CtcAligner.create({ device })).run({
      logits,
      targets,
    });
    const { readings } = await (await CtcDecoder.create({ device })).run({ logits });
    const posterior = await CtcPosterior.create({ device });
    const { durations, samples } = await posterior.run({ logits, targets, samples: 2, seed: 1 });
    return { labels, scores, score, ids: readings[0]!.ids, durations, samples, device: backend.device };
  };
  return { gpu: await on('gpu'), cpu: await on('cpu') };
}
