// Beam search over the clips of fixtures/decode with their trigram, for the worker.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { emissionsOf, readTensors } from 'webgpu-ctc/files';
import { CtcBeamDecoder, Hotwords, NGram } from 'webgpu-ctc/lm';
import { CtcDecoder } from 'webgpu-ctc/node';
import { Vocabulary } from 'webgpu-ctc/text';

/** @typedef {() => Promise<{ score: number, memory: number }>} Way `score`: the sum of the totals */

const fixtures = new URL('../fixtures/', import.meta.url);
/** @param {string} file */
const read = (file) => readFileSync(new URL(file, fixtures));

/** All clips as one batch [N, T, C], the shorter ones padded. */
async function batchOf() {
  const { cases } = JSON.parse(read('decode/expected.json').toString());
  const clips = [];
  for (const { name } of cases) {
    const [[, tensor]] = readTensors(read(`decode/${name}.npy`), `${name}.npy`);
    clips.push(emissionsOf(await tensor()));
  }
  const inputLengths = clips.map(({ frames }) => frames);
  const [N, T, C] = [clips.length, Math.max(...inputLengths), clips[0].classes];
  const data = new Float32Array(N * T * C);
  for (const [i, clip] of clips.entries()) data.set(clip.data, i * T * C);
  return { data, inputLengths, shape: /** @type {const} */ ([N, T, C]) };
}

/** Words of a model, of five letters and more, from all parts of it. @param {string} arpa @param {number} count */
function namesIn(arpa, count) {
  const unigrams = arpa.slice(arpa.indexOf('\\1-grams:'), arpa.indexOf('\\2-grams:'));
  const words = Array.from(unigrams.matchAll(/^\S+\t([a-z]{5,})/gm), ([, word]) => word);
  return Array.from({ length: count }, (_, i) => words[Math.floor((i * words.length) / count)]);
}

/** As pyctcdecode prunes. */
const pruned = { tokenMinLogProb: -5, beamPruneLogProb: -10 };

/** @param {'gpu' | 'cpu'} device */
export async function waysToSearch(device) {
  const { data, inputLengths, shape } = await batchOf();
  const tokens = Vocabulary.from(JSON.parse(read('speech/vocab.json').toString()));
  const arpa = gunzipSync(read('decode/lm.arpa.gz')).toString();
  const lm = await NGram.read(arpa);
  const hotwords = new Hotwords(namesIn(arpa, 1000).map((name) => /** @type {const} */ ([name, 10])));
  const searches = {
    'width 16': { width: 16 },
    'width 100': { width: 100 },
    'width 100, pruned': { width: 100, ...pruned },
    'width 100, 1000 hotwords': { width: 100, hotwords },
  };
  /** @type {Map<string, Way>} */
  const ways = new Map();
  const all = [];
  for (const [name, options] of Object.entries(searches)) {
    const decoder = await CtcBeamDecoder.create({ device, tokens, lm, ...options });
    const task = await decoder.prepare({ logits: shape, layout: 'NTC' });
    task.setLengths(inputLengths);
    all.push(decoder);
    ways.set(name, async () => {
      const { readings } = await task.run({ logits: data });
      return { score: readings.reduce((sum, [best]) => sum + best.total, 0), memory: task.memory };
    });
  }
  const greedy = await CtcDecoder.create({ device, blank: tokens.blank });
  const task = await greedy.prepare({ logits: shape, layout: 'NTC' });
  task.setLengths(inputLengths);
  all.push(greedy);
  ways.set('greedy, of the clips', async () => {
    await task.run({ logits: data });
    return { score: Number.NaN, memory: task.memory };
  });
  const end = () => {
    for (const one of all) one.destroy();
  };
  return { ways, end };
}
