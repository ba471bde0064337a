import { CtcLoss } from 'webgpu-ctc';
import { classes, classOf, emissionsOf, framesOf } from './emissions.js';
import { describeLattice, drawLattice, type Lattice } from './lattice.js';

const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const heard = byId<HTMLInputElement>('heard');
const transcript = byId<HTMLInputElement>('transcript');
const canvas = byId<HTMLCanvasElement>('lattice');

const longest = 12;
const frames = framesOf(longest);
const ctc = await CtcLoss.create({ reduction: 'none', gradient: 'none' });
const task = await ctc.prepare({
  logits: [frames, classes],
  maxTargetLength: longest,
  keep: ['posterior'],
});
const { device, adapter, reason } = ctc.backend;
byId('backend').textContent =
  device === 'gpu' ? `Computed on WebGPU: ${adapter}.` : `Computed on the CPU: ${reason}.`;

let shown: Lattice | undefined;

async function compute(): Promise<void> {
  const word = heard.value;
  const text = transcript.value;
  const inputLengths = framesOf(word.length);
  task.setTargets(Array.from(text, classOf), { inputLengths });
  const { loss } = await task.run({ logits: emissionsOf(word, frames) });
  const posterior = await task.read('posterior');
  byId('loss').textContent = loss === Infinity ? '∞' : loss.toFixed(2);
  showProbability(loss);
  shown = { posterior, stride: 2 * longest + 1, frames: inputLengths, transcript: text };
  canvas.setAttribute(
    'aria-label',
    loss === Infinity ? 'No path: too few frames for this transcript' : describeLattice(shown),
  );
  draw();
}

/** exp(−loss): `29 %`, or `5.8 · 10` and the power. */
function showProbability(loss: number): void {
  const element = byId('probability');
  if (loss === Infinity) {
    element.textContent = '0: too few frames';
  } else if (loss < 6.9) {
    element.textContent = `${Number((100 * Math.exp(-loss)).toPrecision(2))} %`;
  } else {
    const exponent = Math.ceil(loss / Math.LN10);
    const power = document.createElement('sup');
    power.textContent = `−${exponent}`;
    element.replaceChildren(`${Math.exp(exponent * Math.LN10 - loss).toFixed(1)} · 10`, power);
  }
}

function draw(): void {
  if (shown) drawLattice(canvas, shown);
}

let busy = false;
let again = false;

/** One computation at a time; while it runs, only the latest state of the fields waits. */
async function update(): Promise<void> {
  again = true;
  if (busy) return;
  busy = true;
  try {
    while (again) {
      again = false;
      await compute();
    }
  } catch (error) {
    byId('backend').textContent = String(error);
  }
  busy = false;
}

for (const field of [heard, transcript]) {
  field.addEventListener('input', () => {
    const letters = field.value.toLowerCase().replace(/[^a-z]/g, '');
    if (letters !== field.value) field.value = letters;
    update();
  });
  field.form!.addEventListener('submit', (event) => event.preventDefault());
}
new ResizeObserver(draw).observe(canvas.parentElement!);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
update();
