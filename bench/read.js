// The ways to align or read one problem in this process, for the worker.
import { CtcAligner, CtcDecoder } from 'webgpu-ctc/node';
import { names, upload } from './gpu.js';
import { plainViterbi } from './plain-viterbi.js';
import { problem } from './problem.js';

/** @typedef {() => Promise<{ score: number, memory?: number }>} Way */

/** @param {'gpu' | 'cpu'} where @param {import('./problem.js').Shape} shape @returns {Promise<{ ways: Map<string, Way>, end(): void }>} */
export async function waysToRead(where, shape) {
  const [T, N, C, S] = shape;
  const { data, targets } = problem(shape, 'logits');
  /** @type {Map<string, Way>} */
  const ways = new Map();
  const sumOf = (/** @type {Float32Array} */ scores) => scores.reduce((a, b) => a + b, 0);
  const own = where === 'gpu' ? '' : ' (CPU twin)';
  if (S > 0) {
    const aligner = await CtcAligner.create({ device: where });
    const task = await aligner.prepare({ logits: [T, N, C], maxTargetLength: S });
    task.setTargets(targets);
    ways.set(`align${own}`, async () => {
      const { score } = await task.run({ logits: data });
      return { score: score.reduce((a, b) => a + b), memory: task.memory };
    });
    if (where === 'cpu' && N === 1 && T * S < 2e8)
      ways.set('plain JavaScript', async () => plainViterbi(data, T, C, targets[0]));
    return { ways, end: () => aligner.destroy() };
  }
  const decoder = await CtcDecoder.create({ device: where });
  const task = await decoder.prepare({ logits: [T, N, C] });
  if (where === 'cpu') {
    ways.set(`greedy${own}`, async () => ({
      score: sumOf((await task.run({ logits: data })).scores),
      memory: task.memory,
    }));
    return { ways, end: () => decoder.destroy() };
  }
  const device = /** @type {GPUDevice} */ (decoder.device);
  const onDevice = await upload(device, data);
  const { GPUBufferUsage, GPUMapMode } = await names();
  const readBack = async (/** @type {GPUBuffer} */ from) => {
    const staging = device.createBuffer({
      size: from.size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, staging, 0, from.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return values;
  };
  ways.set('greedy', async () => {
    const { labels, scores } = await task.run({ logits: onDevice.scores });
    await readBack(/** @type {GPUBuffer} */ (labels));
    const score = sumOf(await readBack(/** @type {GPUBuffer} */ (scores)));
    for (const buffer of [labels, scores]) /** @type {GPUBuffer} */ (buffer).destroy();
    return { score, memory: task.memory };
  });
  ways.set('read back, argmax in JavaScript', async () => {
    const logits = await readBack(onDevice.scores);
    let score = 0;
    for (let row = 0; row < logits.length; row += C) {
      let best = row;
      for (let c = row; c < row + C; c++) if (logits[c] > logits[best]) best = c;
      let sum = 0;
      for (let c = row; c < row + C; c++) sum += Math.exp(logits[c] - logits[best]);
      score -= Math.log(sum);
    }
    return { score, memory: 2 * logits.byteLength };
  });
  return {
    ways,
    end() {
      decoder.destroy();
      onDevice.end();
    },
  };
}
