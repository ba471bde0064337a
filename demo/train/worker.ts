// The training and the reading, away from the page: whatever they take, the pen is not held up.

import { getWebGPUDevice } from '@jax-js/jax';
import { Trainer } from '../../learning/trainer.js';
import { type Asked, noWebGpu, type Told, type TrainingDevice } from './protocol.js';
import { fixedSample } from './samples.js';

/** Steps between two pictures of the film, and two measurements of the error rate. */
const [filmEvery, measureEvery] = [5, 25];

let trainer: Trainer | undefined;
let until = 0;
let training = false;
let lost = false;
/** The last training did not end by itself. */
let broken = false;
let last: Promise<unknown> = Promise.resolve();

const tell = (told: Told, transfer: Transferable[] = []) => self.postMessage(told, { transfer });

/** One after another: a step, a reading, a measurement. What fails because the device is gone is told as that alone. */
function inTurn(work: () => Promise<unknown>): Promise<unknown> {
  last = last.then(work).catch((error: Error) => {
    training = false;
    broken = true;
    // a loss is told a moment after what fails for it
    setTimeout(() => lost || tell({ kind: 'failed', message: error.message }), 500);
  });
  return last;
}

self.onmessage = ({ data: asked }: MessageEvent<Asked>) => {
  if (asked.kind === 'open') inTurn(() => open(asked));
  else if (asked.kind === 'train') {
    until = asked.until;
    if (!training) train();
  } else if (asked.kind === 'pause') training = false;
  else if (asked.kind === 'rate') trainer?.set({ rate: asked.rate });
  else if (asked.kind === 'own') trainer?.set({ own: asked.own });
  else if (asked.kind === 'read') {
    const { id, strokes } = asked;
    inTurn(async () => trainer && tell({ kind: 'read', id, reading: await trainer.read(strokes) }));
  } else {
    const { id } = asked;
    inTurn(
      async () => trainer && tell({ kind: 'saved', id, steps: trainer.steps, bytes: await trainer.save() }),
    );
  }
};

async function open({ settings, saved, device, patient, own }: Extract<Asked, { kind: 'open' }>) {
  const found = device === 'cpu' ? undefined : await adapterOf(patient);
  const isSlow = device === 'auto' && found?.info.isFallbackAdapter === true;
  trainer = await Trainer.create(settings, { ...saved, device: found && !isSlow ? 'webgpu' : 'wasm' });
  trainer.set({ own });
  if (trainer.device === 'webgpu') {
    getWebGPUDevice().lost.then(() => {
      lost = true;
      training = false;
      tell({ kind: 'lost' });
    });
  }
  const { losses, errors } = trainer;
  tell({
    ...{ kind: 'opened', settings: trainer.settings, history: { losses, errors } },
    on: whereItRuns(device, found, isSlow),
  });
  await film();
  if (trainer.errors.length === 0) await measure();
}

/** A GPU process that crashed takes a moment to start again. */
async function adapterOf(patient: boolean): Promise<GPUAdapter | undefined> {
  for (let tries = patient ? 20 : 1; tries > 0; tries--) {
    const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
    if (adapter) return adapter;
    if (tries > 1) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return undefined;
}

function whereItRuns(device: TrainingDevice, found: GPUAdapter | undefined, isSlow: boolean): string {
  if (isSlow) return `CPU: ${nameOf(found!)} is software, which takes longer`;
  if (found) return `WebGPU: ${nameOf(found)}`;
  return device === 'cpu' ? 'CPU' : noWebGpu;
}

function nameOf({ info: { vendor, architecture, description } }: GPUAdapter): string {
  return description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
}

async function train() {
  training = true;
  // once the trainer is there
  await last;
  broken = false;
  while (training && trainer && trainer.steps < until) {
    await inTurn(step);
    await messagesHeard();
  }
  training = false;
  if (!broken && !lost) tell({ kind: 'paused' });
}

/** On the CPU nothing in a step waits, and without a wait no message is heard. */
const messagesHeard = () =>
  new Promise<void>((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });

async function step() {
  if (!training || !trainer) return;
  const start = performance.now();
  const loss = await trainer.step();
  const { steps } = trainer;
  tell({ kind: 'stepped', steps, loss, milliseconds: performance.now() - start });
  if (steps % filmEvery === 0) await film();
  if (steps % measureEvery === 0 || steps === until) await measure();
}

async function film() {
  const { steps } = trainer!;
  const reading = await trainer!.read(fixedSample.strokes);
  tell({ kind: 'film', steps, reading });
}

async function measure() {
  const rate = await trainer!.errorRate();
  const saved = await trainer!.save();
  tell({ kind: 'measured', steps: trainer!.steps, rate, saved }, [saved.buffer]);
}
