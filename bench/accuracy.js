// The error of the device's float32 against the CPU twins' float64, as a table in Markdown.
//
//   node scripts/setup.mjs && node bench/accuracy.js [largest T, default 30000]
//
// In brackets the share of the bar: 5e-6 · max(1, largest |gradient|) for the gradient,
// 1e-6 · (|loss| + |Σ row maxima|) + 1e-6 + 3e-9 · T for the loss.
import { CtcLoss } from 'webgpu-ctc/node';
import { seeded } from './problem.js';

const classes = 32;
const sizes = [
  [1000, 200],
  [10000, 1500],
  [30000, 3000],
].filter(([frames]) => frames <= Number(process.argv[2] ?? Number.POSITIVE_INFINITY));

/** Log-probabilities: spread over a few units; sure of one alignment; every class of the target 300 below the best. */
function emissions(kind, frames, labels) {
  const random = seeded(frames);
  const target = Array.from({ length: labels }, () => 1 + Math.floor(random() * (classes - 2)));
  const data = new Float32Array(frames * classes);
  let rowMaxima = 0;
  for (let t = 0; t < frames; t++) {
    const row = Float64Array.from({ length: classes }, () => 3 * (random() + random() + random() - 1.5));
    const state = Math.floor(((2 * labels + 1) * t) / frames);
    if (kind === 'confident') row[state % 2 ? target[(state - 1) / 2] : 0] += 25;
    if (kind === 'mismatched') for (let c = 0; c < classes - 1; c++) row[c] -= 300;
    const largest = Math.max(...row);
    const normaliser = largest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0));
    data.set(
      row.map((x) => x - normaliser),
      t * classes,
    );
    rowMaxima += largest - normaliser;
  }
  return { data, target, rowMaxima };
}

async function measure(ctc, data, frames, target) {
  const start = performance.now();
  const { loss, grad } = await ctc.run({ logProbs: { data, shape: [frames, classes] }, targets: target });
  return { loss, grad, seconds: (performance.now() - start) / 1000 };
}

const share = (error, bar) => `${error.toExponential(1)} (${((100 * error) / bar).toFixed(1)} %)`;

const gpu = await CtcLoss.create({ device: 'gpu', reduction: 'sum' });
const cpu = await CtcLoss.create({ device: 'cpu', reduction: 'sum' });
console.log(`${gpu.backend.adapter}; C = ${classes}, N = 1\n`);
console.log('| T | S | emissions | loss | loss error | gradient error | GPU s | CPU s |');
console.log('|--:|--:|:--|--:|--:|--:|--:|--:|');
for (const [frames, labels] of sizes) {
  for (const kind of ['random', 'confident', 'mismatched']) {
    const { data, target, rowMaxima } = emissions(kind, frames, labels);
    const expected = await measure(cpu, data, frames, target);
    const got = await measure(gpu, data, frames, target);
    let largest = 1;
    let error = 0;
    expected.grad.forEach((x, i) => {
      largest = Math.max(largest, Math.abs(x));
      error = Math.max(error, Math.abs(got.grad[i] - x));
    });
    const lossBar = 1e-6 * (Math.abs(expected.loss) + Math.abs(rowMaxima)) + 1e-6 + 3e-9 * frames;
    const cells = [
      frames,
      labels,
      kind,
      expected.loss.toPrecision(8),
      share(Math.abs(got.loss - expected.loss), lossBar),
      share(error, 5e-6 * largest),
      got.seconds.toFixed(1),
      expected.seconds.toFixed(1),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
