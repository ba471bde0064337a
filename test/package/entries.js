// Does a little with every entry of the built package, in whichever runtime it is started, and prints what came out as JSON.
import { init, numpy as np } from '@jax-js/jax';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { CtcLoss } from 'webgpu-ctc';
import { emissionsOf, readTensor, writeTimedText } from 'webgpu-ctc/files';
import { disposeCtcLoss as disposeJaxLoss, ctcLoss as jaxLoss } from 'webgpu-ctc/jax';
import { NGram } from 'webgpu-ctc/lm';
import { CtcAligner, CtcDecoder, CtcPosterior } from 'webgpu-ctc/node';
import { scoresFrom } from 'webgpu-ctc/onnxruntime';
import { readingOf, tokenise, Vocabulary, wordsOf } from 'webgpu-ctc/text';
import { ctcLoss as tfLoss } from 'webgpu-ctc/tfjs';

const fixture = (/** @type {string} */ name) => readFileSync(`${process.argv[2]}/fixtures/speech/${name}`);
const { data, frames, classes } = emissionsOf(
  await readTensor(fixture('clip4.logits.npy'), 'clip4.logits.npy'),
);
const vocabulary = Vocabulary.from(JSON.parse(fixture('vocab.json').toString()));
const transcript = tokenise('hello hello little rabbit will you tell me all', vocabulary);
const { targets } = transcript;
const { scores, path } = await scoresFrom({ dims: [1, frames, classes], type: 'float32', data });
const batch = { ...scores, targets: [targets] };
const rounded = (/** @type {ArrayLike<number>} */ values) =>
  Array.from(values, (value) => Number(value.toPrecision(5)));

const loss = await CtcLoss.create({ device: 'cpu', reduction: 'sum' });
const aligner = await CtcAligner.create({ device: 'gpu' });
const decoder = await CtcDecoder.create({ device: 'gpu' });
const posterior = await CtcPosterior.create({ device: 'gpu' });
const onCpu = await loss.run(batch);
const best = await aligner.run(batch);
const read = await decoder.run(scores);
const { durations } = await posterior.run(batch);
const { words } = wordsOf(transcript, best, { frameSeconds: 0.02 });
const model = await NGram.read(new Blob([readFileSync(`${process.argv[2]}/fixtures/decode/lm.arpa.gz`)]));
const compact = await NGram.read(model.write());
const { text } = readingOf(read.labels, read.scores, vocabulary, { frameSeconds: 0.02 });

await init('cpu');
const jaxLogits = np.array(data, { shape: [1, frames, classes], device: 'cpu' });
const inJax = await jaxLoss({ logits: jaxLogits, labels: [targets], reduction: 'sum' });
inJax.grad.dispose();
// also where nobody has asked for the device webgpu
disposeJaxLoss();
await tf.setBackend('cpu');
const inTensorFlow = tfLoss({
  logits: tf.tensor(data, [1, frames, classes]),
  ...{ labels: [targets], reduction: 'sum' },
});
for (const operation of [loss, aligner, decoder, posterior]) operation.destroy();

console.log(
  JSON.stringify({
    version: process.versions.bun ?? process.versions.deno ?? process.version,
    adapter: best.backend.adapter,
    losses: rounded([onCpu.loss, ...(await inJax.loss.data()), ...(await inTensorFlow.data())]),
    ...{ path, text, words: writeTimedText('rabbit.srt', words) },
    durations: rounded(durations.slice(0, 9)),
    sentence: rounded([model.score(text).log10, compact.score(text).log10]),
  }),
);
process.exit(0); // Dawn keeps a process alive
