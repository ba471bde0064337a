// The library at work for the page: one lattice at a time, kept on the device.
import { CtcAligner, CtcLoss, CtcPosterior, type CtcTask } from 'webgpu-ctc';
import { bestClasses, logSumExp } from '../../../learning/best-path.js';
import type { Layer } from '../../shared/layers.js';
import {
  type Analysis,
  type BestPath,
  type Cell,
  type CellValues,
  classAt,
  isPossible,
  largestGradient,
  ownScores,
  type Problem,
  statesOf,
} from './analysis.js';
import { createProbe, type Probe } from './probe.js';
import { fromAligner, gradientWithStar, toAligner } from './star.js';

type Shape = readonly [number, number];
type Task = CtcTask<'none', 'logits', Shape>;

/** What a task was prepared for. */
interface Prepared {
  readonly key: string;
  readonly task: Task;
  readonly stride: number;
  readonly probe: Probe | undefined;
}

/** What is known of a problem that is not shown. */
export interface Beside extends Pick<Analysis, 'problem' | 'loss' | 'alignment' | 'logProbs'> {
  /** Of all states of each class, [frames, classes]. */
  readonly posterior: Float32Array<ArrayBuffer>;
}

/** Room for labels is made in steps, so that typing does not prepare anew at every letter. */
const roomFor = (labels: number) => 16 * Math.ceil((labels + 1) / 16);

export class Engine {
  readonly #ctc: CtcLoss<'none', 'logits'>;
  /** By class of the blank, which belongs to whoever computes. */
  readonly #losses = new Map<number, CtcLoss<'none', 'logits'>>();
  readonly #aligners = new Map<number, Promise<CtcAligner>>();
  #prepared: Prepared | undefined;
  #version = 0;
  #baseline: { logits: Float32Array; key: string; posterior: Float32Array<ArrayBuffer> } | undefined;

  /** On any GPU, be it software, since the lattice is drawn where it is computed. @param cpu Keeps away from WebGPU. */
  static async create(cpu = false): Promise<Engine> {
    const on = (device: 'auto' | 'gpu' | 'cpu') => CtcLoss.create({ device, reduction: 'none' });
    // without a GPU, `auto` says why
    return new Engine(await (cpu ? on('cpu') : on('gpu').catch(() => on('auto'))));
  }

  private constructor(ctc: CtcLoss<'none', 'logits'>) {
    this.#ctc = ctc;
    this.#losses.set(0, ctc);
  }

  /** Frames times states of what can be looked at: 20 bytes each on the device, 24 in memory, where drawing walks over all. */
  get mostCells(): number {
    return this.device ? 12e6 : 2e6;
  }

  get device(): GPUDevice | undefined {
    return this.#ctc.device as GPUDevice | undefined;
  }

  /** Whether its device is gone, or will be in a moment: what fails for that reason may fail before it is said. */
  async isLost(): Promise<boolean> {
    if (!this.device) return false;
    const soon = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500));
    return Promise.race([this.device.lost.then(() => true), soon]);
  }

  destroy(): void {
    this.#prepared?.task.destroy();
    for (const aligner of this.#aligners.values())
      aligner.then(
        (made) => made.destroy(),
        () => {},
      );
    for (const loss of this.#losses.values()) loss.destroy();
  }

  /** @param unedited The same problem with scores as they were, for the change. */
  async analyse(problem: Problem, unedited?: Problem): Promise<Analysis> {
    const baseline = unedited && (await this.#posteriorOf(unedited));
    // side by side: the first time both compile
    const [prepared, alignment] = await Promise.all([this.#sweep(problem), this.bestPath(problem)]);
    const { task, stride, probe, loss, grad } = prepared;
    const lattice = probe
      ? {
          onDevice: {
            wgsl: task.lattice.wgsl(0),
            entries: task.lattice.blocks[0]!.entries as GPUBindGroupEntry[],
          },
        }
      : {
          onHost: {
            alpha: await task.read('alpha'),
            beta: await task.read('beta'),
            posterior: await task.read('posterior'),
            stride,
          },
        };
    const logProbs = logSoftmax(problem);
    return {
      ...{ problem, backend: task.backend, loss, alignment, baseline, lattice, logProbs },
      grad: gradientWithStar(problem, logProbs, grad as Float32Array<ArrayBuffer>),
      greedy: bestClasses(ownScores(problem)),
      version: ++this.#version,
    };
  }

  /** Of a problem beside the one that is shown: nothing of it is kept. */
  async beside(problem: Problem): Promise<Beside> {
    const { logits: data, frames, classes, blank, labels, star } = problem;
    const ctc = await this.#lossWith(blank);
    const scores = { data, shape: [frames, classes] as const };
    const [{ loss, grad }, alignment] = await Promise.all([
      ctc.run({ ...(star ? { logProbs: scores } : { logits: scores }), targets: [...labels] }),
      this.bestPath(problem),
    ]);
    const logProbs = logSoftmax(problem);
    const posterior = logProbs.map((log, i) => Math.exp(log) - grad[i]!);
    return { problem, loss, alignment, logProbs, posterior };
  }

  async #lossWith(blank: number): Promise<CtcLoss<'none', 'logits'>> {
    let ctc = this.#losses.get(blank);
    if (!ctc) {
      ctc = await CtcLoss.create({ device: this.device ?? 'cpu', reduction: 'none', blank });
      this.#losses.set(blank, ctc);
    }
    return ctc;
  }

  /** Of some cells; of the last analysis. */
  async probe({ lattice }: Analysis, cells: readonly Cell[]): Promise<CellValues[]> {
    if ('onDevice' in lattice) return this.#prepared!.probe!.cells(cells);
    const { alpha, beta, posterior, stride } = lattice.onHost;
    return cells.map(({ t, s }) => {
      const at = t * stride + s;
      return { alpha: alpha[at]!, beta: beta[at]!, posterior: posterior[at]! };
    });
  }

  /** What a layer shows of a cell of the last analysis, as `Legend` marks it. Undefined: nothing there. */
  async shownAt(
    layer: Layer,
    analysis: Analysis,
    { t, s }: Cell,
    own: CellValues,
  ): Promise<number | undefined> {
    const { problem, logProbs, grad, baseline } = analysis;
    const at = t * problem.classes + classAt(problem, s);
    if (layer === 'probability') return Math.exp(logProbs[at]!);
    if (layer === 'gradient')
      return classAt(problem, s) === problem.star?.c ? undefined : grad[at]! / largestGradient(analysis);
    if (!isPossible(problem, { t, s })) return undefined;
    if (layer === 'posterior') return own.posterior;
    if (layer === 'change') return baseline && own.posterior - baseline[t * statesOf(problem) + s]!;
    const column = Array.from({ length: statesOf(problem) }, (_, state) => ({ t, s: state }));
    const values = await this.probe(
      analysis,
      column.filter((cell) => isPossible(problem, cell)),
    );
    return Math.exp(own[layer] - Math.max(...values.map((value) => value[layer])));
  }

  /** Of scores that stay while others are edited: not computed anew at each stroke. */
  async #posteriorOf(problem: Problem): Promise<Float32Array<ArrayBuffer>> {
    const { labels, blank } = problem;
    const { logits } = ownScores(problem);
    const key = [blank, ...labels].join();
    if (this.#baseline?.logits !== logits || this.#baseline.key !== key) {
      await this.#sweep(problem);
      this.#baseline = { logits, key, posterior: await this.#readKept('posterior', problem) };
    }
    return this.#baseline.posterior;
  }

  /** A layer of the last analysis, [frames, 2 · labels + 1]. */
  async read(layer: Exclude<Layer, 'gradient'>, analysis: Analysis): Promise<Float32Array<ArrayBuffer>> {
    const { problem, logProbs, baseline } = analysis;
    const states = statesOf(problem);
    if (layer === 'probability') {
      const own = Array.from({ length: states }, (_, s) => classAt(problem, s));
      return Float32Array.from({ length: problem.frames * states }, (_, i) =>
        Math.exp(logProbs[Math.floor(i / states) * problem.classes + own[i % states]!]!),
      );
    }
    if (layer !== 'change') return this.#readKept(layer, problem);
    const posterior = await this.#readKept('posterior', problem);
    return posterior.map((share, i) => share - baseline![i]!);
  }

  async #readKept(
    layer: 'alpha' | 'beta' | 'posterior',
    problem: Problem,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { task, stride } = this.#prepared!;
    const states = statesOf(problem);
    const values = await task.read(layer);
    return Float32Array.from(
      { length: problem.frames * states },
      (_, i) => values[Math.floor(i / states) * stride + (i % states)]!,
    );
  }

  /** ln Σ alpha · beta over the states of a frame: the same for each. */
  async sum({ lattice, problem }: Analysis, t: number): Promise<number> {
    if ('onDevice' in lattice) return this.#prepared!.probe!.sum(t);
    const { alpha, beta, stride } = lattice.onHost;
    const start = t * stride;
    return logSumExp(alpha.subarray(start, start + statesOf(problem)).map((a, s) => a + beta[start + s]!));
  }

  /**
   * Of many texts over the same scores, in one batch: natural logarithms of their probabilities. Only the classes that occur in
   * them are handed on.
   */
  async logsOf(
    { problem, logProbs }: Analysis,
    texts: readonly (readonly number[])[],
  ): Promise<Float64Array> {
    const { frames, classes, blank } = problem;
    const used = [blank, ...new Set(texts.flat().filter((c) => c !== blank))];
    const columnOf = new Map(used.map((c, column) => [c, column]));
    const one = Float32Array.from({ length: frames * used.length }, (_, i) => {
      const t = Math.floor(i / used.length);
      return logProbs[t * classes + used[i % used.length]!]!;
    });
    const all = new Float32Array(texts.length * one.length);
    texts.forEach((_, n) => {
      all.set(one, n * one.length);
    });
    const ctc = await CtcLoss.create({ device: this.device ?? 'cpu', reduction: 'none', gradient: 'none' });
    try {
      const shape = [texts.length, frames, used.length] as const;
      const { loss } = await ctc.run({
        logProbs: { data: all, shape, layout: 'NTC' },
        targets: texts.map((labels) => labels.map((c) => columnOf.get(c)!)),
      });
      return Float64Array.from(loss, (value) => -value);
    } finally {
      ctc.destroy();
    }
  }

  /** States of paths drawn from the posterior. */
  async samples(problem: Problem, count: number, seed: number): Promise<Int32Array[]> {
    const { logits: data, frames, classes, blank, labels, star } = problem;
    const posterior = await CtcPosterior.create({ device: this.device ?? 'cpu', blank });
    try {
      const scores = { data, shape: [frames, classes] as const };
      const asked = { targets: [...labels], samples: count, seed };
      const { samples } = await posterior.run({
        ...(star ? { logProbs: scores } : { logits: scores }),
        ...asked,
      });
      return Array.from({ length: count }, (_, k) =>
        statesAlong(samples!.subarray(k * frames, (k + 1) * frames), problem),
      );
    } finally {
      posterior.destroy();
    }
  }

  /** Both sweeps: the lattice is kept on the device. */
  async #sweep(problem: Problem) {
    const prepared = await this.#prepare(problem);
    prepared.task.setTargets([...problem.labels]);
    const { logits, star } = problem;
    return { ...prepared, ...(await prepared.task.run(star ? { logProbs: logits } : { logits })) };
  }

  async #prepare({ frames, classes, blank, labels, star }: Problem): Promise<Prepared> {
    const maxTargetLength = roomFor(labels.length);
    const key = [frames, classes, blank, maxTargetLength, !star].join();
    if (this.#prepared?.key === key) return this.#prepared;
    const ctc = await this.#lossWith(blank);
    const shape: Shape = [frames, classes];
    const task = await ctc.prepare({
      ...(star ? { logProbs: shape } : { logits: shape }),
      ...{ maxTargetLength, keep: ['alpha', 'beta', 'posterior'] as const },
    });
    const probe = this.device && createProbe(this.device, task.lattice, 2 * maxTargetLength + 1);
    this.#prepared?.task.destroy();
    this.#prepared = { key, task, stride: 2 * maxTargetLength + 1, probe };
    return this.#prepared;
  }

  /** Undefined where there is no path. */
  async bestPath(problem: Problem): Promise<BestPath | undefined> {
    const { blank, labels } = problem;
    let aligner = this.#aligners.get(blank);
    if (!aligner) {
      aligner = CtcAligner.create({ device: this.device ?? 'cpu', blank });
      this.#aligners.set(blank, aligner);
    }
    const { logits: data, frames, classes } = ownScores(problem);
    const path = await (await aligner).run({
      logits: { data, shape: [frames, classes] as const },
      targets: toAligner(labels, problem),
    });
    const own = fromAligner(path.labels, problem);
    return Number.isFinite(path.score)
      ? { ...path, labels: own, states: statesAlong(own, problem) }
      : undefined;
  }
}

/** The states that a path goes through, from the classes of its frames. */
export function statesAlong(classes: ArrayLike<number>, problem: Problem): Int32Array {
  let s = 0;
  return Int32Array.from({ length: classes.length }, (_, t) => {
    const c = classes[t]!;
    if (c !== classAt(problem, s)) s += c === problem.blank || s % 2 === 0 ? 1 : 2;
    return s;
  });
}

function logSoftmax({ logits, frames, classes, star }: Problem): Float32Array<ArrayBuffer> {
  if (star) return logits;
  const logProbs = new Float32Array(logits.length);
  for (let t = 0; t < frames; t++) {
    const row = logits.subarray(t * classes, (t + 1) * classes);
    const normaliser = logSumExp(row);
    for (let c = 0; c < classes; c++) logProbs[t * classes + c] = row[c]! - normaliser;
  }
  return logProbs;
}
