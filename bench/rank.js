// Ranking many texts by one recording, for the worker: the ranker, and losses of as many copies of the scores.
import { createHash } from 'node:crypto';
import { CtcLoss, CtcRanker } from 'webgpu-ctc/node';
import { seeded } from './problem.js';

/** @typedef {() => Promise<{ memory: number, losses?: string }>} Way `losses`: their bits, where they are those of label sequences */

/** Scores of one recording, and words of three labels or more. @param {import('./problem.js').Shape} shape T, K, C, S */
function wordsOf([T, K, C, S]) {
  const next = seeded(1);
  const data = Float32Array.from({ length: T * C }, () => 6 * (next() - 0.5));
  const label = () => 1 + Math.floor(next() * (C - 1));
  const word = () => Array.from({ length: Math.min(S, 3 + Math.floor(next() * (S - 2))) }, label);
  return { data, words: Array.from({ length: K }, word) };
}

/** @param {Float32Array} losses */
const bitsOf = (losses) => createHash('sha1').update(new Uint8Array(losses.buffer)).digest('hex');

/** @param {'gpu' | 'cpu'} device @param {import('./problem.js').Shape} shape T, K, C, S */
export async function waysToRank(device, shape) {
  const [T, K, C, S] = shape;
  const { data, words } = wordsOf(shape);
  const room = { maxTargetLength: S };
  const rankers = [];
  for (const delimiter of [undefined, 1]) {
    const ranker = await CtcRanker.create({ device, delimiter });
    const task = await ranker.prepare({ logits: [T, C], candidates: K, ...room });
    task.setCandidates(words);
    const run = async () => {
      const { rankings } = await task.run({ logits: data });
      const losses = delimiter ? undefined : bitsOf(Float32Array.from(rankings[0].losses));
      return { memory: task.memory, losses };
    };
    rankers.push({ ranker, run });
  }
  const [labels, texts] = rankers;
  const ctc = await CtcLoss.create({ device, reduction: 'none', gradient: 'none' });
  const copies = await ctc.prepare({ logits: [T, K, C], ...room });
  copies.setTargets(words);
  const many = new Float32Array(T * K * C);
  for (let row = 0; row < T * K; row++) {
    const t = Math.floor(row / K);
    many.set(data.subarray(t * C, (t + 1) * C), row * C);
  }
  /** @type {Map<string, Way>} */
  const ways = new Map([
    ['rank labels', labels.run],
    ['rank texts', texts.run],
    [
      'losses of copies',
      async () => {
        const { loss } = await copies.run({ logits: many });
        return { memory: copies.memory + many.byteLength, losses: bitsOf(loss) };
      },
    ],
  ]);
  const end = () => {
    for (const one of [ctc, labels.ranker, texts.ranker]) one.destroy();
  };
  return { ways, end };
}
