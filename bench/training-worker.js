// The training on one adapter or on the CPU, in a process of its own, since a driver is chosen once in a process.
import { createInterface } from 'node:readline';
import { load, provideGpu } from '../examples/trainer.js';

/** Losses in a row, so that the way to the device and back counts once. */
const inARow = 9;

/** @param {{ rounds: number, device: 'gpu' | 'cpu' }} asked */
async function measure({ rounds, device: wanted }) {
  await provideGpu(wanted);
  const { Trainer, room } = await load('learning/trainer.ts');
  const { classes, stride } = await load('learning/pen.ts');
  const { numpy: np, getWebGPUDevice } = await import('@jax-js/jax');
  const { ctcLoss } = await import('webgpu-ctc/jax');
  const trainer = await Trainer.create();
  for (let i = 0; i < 5; i++) await trainer.step();

  // the shapes of a step
  const [N, T, C] = [trainer.settings.batch, room / stride, classes];
  const labels = Array.from({ length: N }, (_, n) =>
    Array.from({ length: 1 + (n % 5) }, (_, i) => 1 + ((n + i) % 10)),
  );
  const logits = np
    .array(Float32Array.from({ length: N * T * C }, (_, i) => Math.sin(i * i)))
    .reshape([N, T, C]);
  const loss = async (/** @type {number} */ count) => {
    const start = performance.now();
    let last;
    for (let i = 0; i < count; i++) {
      last?.dispose();
      const made = await ctcLoss({ logits: logits.ref, labels });
      made.grad.dispose();
      last = made.loss;
    }
    await last.data();
    return performance.now() - start;
  };
  await loss(inARow);

  let readBack = 0;
  if (wanted === 'gpu') {
    const device = getWebGPUDevice();
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      if (descriptor.usage & GPUBufferUsage.MAP_READ) readBack += descriptor.size;
      return createBuffer(descriptor);
    };
  }
  const [steps, losses] = [[], []];
  // side by side
  for (let i = 0; i < 10 * rounds; i++) {
    readBack = 0;
    const start = performance.now();
    await trainer.step();
    steps.push(performance.now() - start);
    if (i % 10 === 0) {
      const read = readBack;
      losses.push(((await loss(inARow)) - (await loss(1))) / (inARow - 1));
      readBack = read;
    }
  }
  return { steps, losses, readBack };
}

for await (const line of createInterface(process.stdin)) {
  const answer = await measure(JSON.parse(line)).catch((error) => ({ error: error.message }));
  console.log(JSON.stringify(answer));
}
