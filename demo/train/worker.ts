// The training and the reading, away from the page: whatever they take, the pen is not held up.

import { getWebGPUDevice } from '@jax-js/jax';
import { type Reader, Trainer } from '../../learning/trainer.js';
import {
  type Asked,
  type Filmed,
  measureEvery,
  noWebGpu,
  type Told,
  type TrainingDevice,
} from './protocol.js';

/** Whether there is a picture of the film after so many steps: in the beginning more happens. */
const isFilmed = (steps: number) => steps % (steps < 100 ? 5 : 10) === 0;
/** Steps between two looks at the phase. */
const watchEvery = 10;
/** What is remembered for other films: when there are more, every other one. */
const mostReaders = 121;

let trainer: Trainer | undefined;
let filmed: Filmed;
/** What reads for the pictures of the film. */
let readers: Reader[] = [];
let until = 0;
let training = false;
/** A training has not come to its end yet, though it may have been paused. */
let running = false;
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
    training = true;
    if (!running) train();
  } else if (asked.kind === 'pause') training = false;
  // once the trainer is there
  else if (asked.kind === 'rate') inTurn(async () => trainer?.set({ rate: asked.rate }));
  else if (asked.kind === 'own') inTurn(async () => trainer?.set({ own: asked.own }));
  else if (asked.kind === 'film') filmAgain(asked.filmed);
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

async function open(asked: Extract<Asked, { kind: 'open' }>) {
  const { settings, saved, device, patient, own } = asked;
  filmed = asked.filmed;
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
  await look();
  await watch();
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
  running = true;
  // once the trainer is there
  await last;
  broken = false;
  do {
    while (training && trainer && trainer.steps < until) {
      await inTurn(step);
      await messagesHeard();
    }
    training = false;
    await inTurn(rest);
  } while (training);
  running = false;
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
  if (isFilmed(steps)) await look();
  if (steps % watchEvery === 0) await watch();
  if (steps % measureEvery === 0 || steps === until) await measure();
}

/** What is shown while it is paused is what it reads now. */
async function rest() {
  if (!trainer || broken || lost || readers.at(-1)?.steps === trainer.steps) return;
  await look();
  await watch();
}

/** A picture of the film. */
async function look() {
  const reader = trainer!.remember();
  readers.push(reader);
  if (readers.length > mostReaders) {
    for (const dropped of readers.filter((_, i) => i % 2 === 1)) trainer!.forget(dropped);
    readers = readers.filter((_, i) => i % 2 === 0);
  }
  await picture(filmed, reader);
}

/** The film of other strokes: between the steps of a training, which goes on. */
async function filmAgain(asked: Filmed) {
  filmed = asked;
  for (const reader of [...readers])
    await inTurn(async () => {
      if (filmed === asked && readers.includes(reader)) await picture(asked, reader);
    });
}

async function picture({ id, strokes }: Filmed, reader: Reader) {
  const { steps } = reader;
  tell({ kind: 'film', id, steps, reading: await trainer!.read(strokes, reader) });
}

async function watch() {
  tell({ kind: 'watched', watched: await trainer!.watch() });
}

async function measure() {
  const rate = await trainer!.errorRate();
  const saved = await trainer!.save();
  tell({ kind: 'measured', steps: trainer!.steps, rate, saved }, [saved.buffer]);
}
