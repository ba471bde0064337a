// What competes on one device, for the worker: the library's strategies, its CPU twin, the composition in jax-js.
import { CtcLoss } from 'webgpu-ctc/node';
import { plainDevice, secondGpu, upload } from './gpu.js';
import { openJax } from './jax.js';
import { problem } from './problem.js';

/**
 * @typedef {import('./problem.js').Shape} Shape
 * @typedef {import('./problem.js').Scores} Scores
 * @typedef {{ shape: Shape, scores: Scores, targets: number[][], data: any, out: any, end(): void }} Input
 * Scores where the contestants want them, and room for results.
 * @typedef {{ run(): Promise<number | undefined>, end(): void, chosen?: string, memory?: number }} Ready
 * A run gives the loss, unless that stays on the device.
 */

const strategies = ['auto', 'step', 'fused', 'tiled'];

/** @param {'gpu' | 'cpu'} where @param {{ plain?: boolean, kernels?: string }} options */
export async function findContestants(where, { plain, kernels }) {
  const { backend, device: shared } = await create(where);
  /** @type {Map<string, (input: Input) => Promise<Ready>>} */
  const contestants = new Map();
  if (where === 'cpu') {
    contestants.set('CPU twin', async (input) => prepare(await create('cpu'), input));
    return { name: `CPU twin, ${backend.adapter}`, contestants, left: [], device: undefined };
  }

  const device = /** @type {GPUDevice} */ (plain ? await plainDevice() : shared);
  /** @type {string[]} */
  const left = [];
  for (const strategy of strategies) {
    try {
      const ctc = await create(device, strategy);
      contestants.set(strategy, (input) => prepare(ctc, input));
    } catch (error) {
      left.push(`${strategy}: ${/** @type {Error} */ (error).message}`);
    }
  }
  /** @type {ReturnType<typeof openJax>} */
  let jax;
  const composition = async (/** @type {Input} */ { shape, scores }) => {
    jax ??= openJax(await secondGpu());
    const { data, targets } = problem(shape, scores);
    return (await jax).prepare(shape, scores, data, targets);
  };
  if (!plain && !kernels) contestants.set('jax-js', composition);
  const name = plain ? `${backend.adapter}, default limits, no features` : backend.adapter;
  return { name, contestants, left, device };
}

/** @param {GPUDevice | 'gpu' | 'cpu'} device */
export function create(device, strategy = 'auto') {
  const options = {
    device,
    strategy: /** @type {'auto'} */ (strategy),
    reduction: /** @type {const} */ ('sum'),
  };
  return CtcLoss.create(options);
}

/** @param {GPUDevice | undefined} device @param {Shape} shape @param {Scores} scores @returns {Promise<Input>} */
export async function inputFor(device, shape, scores) {
  const { data, targets } = problem(shape, scores);
  if (!device) return { shape, scores, targets, data, out: {}, end() {} };
  const { loss, grad, ...buffers } = await upload(device, data);
  return { shape, scores, targets, data: buffers.scores, out: { loss, grad }, end: buffers.end };
}

/** A task of the library. @param {CtcLoss<'sum'>} ctc @param {Input} input @returns {Promise<Ready>} */
export async function prepare(ctc, { shape: [T, N, C, S], scores, targets, data, out }) {
  const maxTargetLength = S;
  const tensor = /** @type {{ logits: [number, number, number] }} */ ({ [scores]: [T, N, C] });
  const task = await ctc.prepare({ ...tensor, maxTargetLength });
  task.setTargets(targets);
  return {
    chosen: task.backend.strategy,
    memory: task.memory,
    async run() {
      const { loss } = await task.run({ [scores]: data, ...out });
      return typeof loss === 'number' ? loss : undefined;
    },
    end: () => task.destroy(),
  };
}
