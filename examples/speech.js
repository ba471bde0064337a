/**
 * The CTC loss of a spoken sentence, beside PyTorch's, where in time its words are, and what is read in it. Run with `npm start`.
 *
 * The input is what a small speech recogniser gave for fixtures/speech/clip4.wav: a score for each of 29 characters,
 * every 20 ms. The references in fixtures/golden are PyTorch's, in float64.
 */
import { readFileSync } from 'node:fs';
import { CtcAligner, CtcDecoder, CtcLoss } from 'webgpu-ctc/node';
import { readingOf, tokenise, Vocabulary, wordsOf } from 'webgpu-ctc/text';
import { readMatrix } from './npy.js';
import { accent, bar, bold, dim, drawLattice, legend, wrap } from './terminal.js';

const fixture = (/** @type {string} */ path) => new URL(`../fixtures/${path}`, import.meta.url);
const readJson = (/** @type {string} */ path) => JSON.parse(readFileSync(fixture(path), 'utf8'));

const vocabulary = Vocabulary.from(readJson('speech/vocab.json'));
const labelsOf = (/** @type {string} */ text) => tokenise(text, vocabulary).targets;

const { backend } = await CtcLoss.create();
heading(backend.device === 'gpu' ? 'On WebGPU' : 'On the CPU');
row('adapter', wrap(backend.adapter, 12));
row(backend.device === 'gpu' ? 'through' : 'why', wrap(backend.reason, 12));

await sentence();
await documentedExample();

/** Loss, gradient, near misses, word times and lattice of one sentence. */
async function sentence() {
  const clip = readJson('speech/clips.json')[3];
  const logits = readMatrix(fixture('speech/clip4.logits.npy'));
  const [frames, classes] = logits.shape;
  const { frameSeconds, text } = clip;
  const ctc = await CtcLoss.create({ reduction: 'sum' });

  heading(`"${text}"`);
  row('spoken', `${(frames * frameSeconds).toFixed(1)} s, ${frames} frames, ${classes} classes`);
  const { loss, grad } = await ctc.run({ logits, targets: labelsOf(text) });
  const pytorch = readJson('golden/speech_clip4.json').expected.sum;
  row('loss', `${accent(loss.toFixed(6))}   PyTorch ${pytorch.loss[0].toFixed(6)}`);
  row(
    'gradient',
    `largest difference to PyTorch's ${largestDifference(grad, pytorch.grad).toExponential(1)}`,
  );

  heading('Near misses: the lower the loss, the likelier the transcript');
  const nearMisses = [text.replace('rabbit', 'rabit'), text.replace('tell', 'sell')];
  const losses = [loss];
  for (const other of nearMisses) losses.push((await ctc.run({ logits, targets: labelsOf(other) })).loss);
  for (const [i, transcript] of [text, ...nearMisses].entries()) {
    const value = losses[i].toFixed(2).padStart(6);
    const drawn = bar(losses[i], Math.max(...losses), 16);
    console.log(`  ${i === 0 ? accent(`${value} ${drawn}`) : `${value} ${dim(drawn)}`}  ${transcript}`);
  }
  const [best, next] = losses.toSorted((a, b) => a - b);
  const verdict = best === loss ? 'The transcript wins' : 'A near miss wins';
  console.log(dim(`\n  ${verdict}: ${Math.round(Math.exp(next - best))} times as likely as the next.`));

  const task = await ctc.prepare({ logits: logits.shape, maxTargetLength: text.length, keep: ['posterior'] });
  task.setTargets(labelsOf(text));
  await task.run({ logits: logits.data });
  const posterior = await task.read('posterior');
  ctc.destroy();

  const transcript = tokenise(text, vocabulary);
  const aligner = await CtcAligner.create();
  const path = await aligner.run({ logits, targets: transcript.targets });
  aligner.destroy();
  const { words } = wordsOf(transcript, path, { frameSeconds });
  heading('Words, aligned');
  console.log(dim('            heard at   spoken at   difference   confidence'));
  for (const [i, { word, start }] of clip.words.entries()) {
    const heard = words[i];
    const difference = (heard.start - start).toFixed(2);
    const signed = seconds(heard.start < start ? difference : `+${difference}`);
    const confidence = `${Math.round(100 * heard.confidence)} %`.padStart(11);
    console.log(
      `  ${word.padEnd(9)}${seconds(heard.start)}${seconds(start)}  ${dim(`${signed}${confidence}`)}`,
    );
  }

  const decoder = await CtcDecoder.create();
  const greedy = await decoder.run({ logits });
  decoder.destroy();
  heading('Read without the text');
  console.log(`  ${readingOf(greedy.labels, greedy.scores, vocabulary, { frameSeconds }).text}`);

  heading('Posterior lattice: where in time each character is');
  const starts = wordStarts(text);
  const notes = new Map(clip.words.map(({ word }, i) => [starts[i], word]));
  for (const line of drawLattice({ posterior, frames, frameSeconds, labels: text, notes })) console.log(line);
  console.log(`\n  ${legend}`);
}

/** The example in the documentation of torch.nn.functional.ctc_loss. */
async function documentedExample() {
  const { shape, logProbs, targets, inputLengths, targetLengths, expected } =
    readJson('golden/docs_padded.json');
  const data = Float32Array.from(logProbs);
  heading("PyTorch's documented example");
  row('size', 'T = 50, N = 16, C = 20, S up to 30; reduction mean');
  row('time', 'of loss and gradient, arrays in and out; median of up to 21 calls');
  row('PyTorch', `loss ${expected.mean.loss[0].toFixed(6)}`);

  /** @type {('gpu' | 'cpu')[]} */
  const devices = ['gpu', 'cpu'];
  for (const device of devices) {
    const ctc = await CtcLoss.create({ device }).catch((error) => {
      if (error.code !== 'no-webgpu') throw error;
    });
    if (!ctc) continue;
    const begin = performance.now();
    const task = await ctc.prepare({ logProbs: shape, maxTargetLength: 30 });
    task.setTargets(targets, { inputLengths, targetLengths });
    const { loss } = await task.run({ logProbs: data });
    const first = performance.now() - begin;
    const times = [];
    for (const end = performance.now() + 2000; times.length < 21 && performance.now() < end; ) {
      const start = performance.now();
      await task.run({ logProbs: data });
      times.push(performance.now() - start);
    }
    ctc.destroy();
    const median = times.sort((a, b) => a - b)[times.length >> 1].toFixed(1);
    const name = device === 'gpu' ? 'WebGPU' : 'CPU';
    row(
      name,
      `loss ${loss.toFixed(6)}   ${accent(`${median} ms`.padStart(9))}  ${dim(`first call, with set-up, ${first.toFixed(0)} ms`)}`,
    );
  }
}

/** Where in the text each word begins. @param {string} text */
function wordStarts(text) {
  return Array.from(text.matchAll(/\S+/g), ({ index }) => index);
}

/** @param {Float32Array} a @param {number[]} b */
function largestDifference(a, b) {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

/** @param {string} text */
function heading(text) {
  console.log(`\n${bold(text)}`);
}

/** @param {string} name @param {string} value */
function row(name, value) {
  console.log(`  ${dim(name.padEnd(10))}${value}`);
}

/** @param {number | string} value */
function seconds(value) {
  return `${typeof value === 'number' ? value.toFixed(2) : value} s`.padStart(11);
}
