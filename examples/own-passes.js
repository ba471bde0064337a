/**
 * A training loop that owns its buffers: a forward pass, the library's loss between, a backward pass, in one submission a step. Then the
 * same gradient from four small batches, each weighted and added up. Run with `node examples/own-passes.js`.
 *
 * The model is one matrix, logits = inputs · weights, so that the passes are short; yours may be anything that writes logits and reads
 * their gradient.
 */
import { CtcLoss } from 'webgpu-ctc/node';

const [N, T, C, F] = [8, 40, 12, 16]; // sequences, frames, classes, features
const targets = Array.from({ length: N }, (_, n) =>
  Array.from({ length: 5 }, (_, i) => 1 + ((3 * n + 5 * i) % (C - 1))),
);

const ctc = await CtcLoss.create({ device: 'gpu', reduction: 'none' });
const device = /** @type {GPUDevice} */ (ctc.device);
const [STORAGE, COPY_SRC, COPY_DST, MAP_READ] = [0x80, 0x4, 0x8, 0x1];

/** @param {Float32Array<ArrayBuffer> | number} data its numbers, or how many zeros */
function buffer(data) {
  const size = 4 * (typeof data === 'number' ? data : data.length);
  const made = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
  if (typeof data !== 'number') device.queue.writeBuffer(made, 0, data);
  return made;
}

const shaders = device.createShaderModule({
  code: /* wgsl */ `
    const F = ${F}u;
    const C = ${C}u;
    @group(0) @binding(0) var<storage, read> inputs: array<f32>;           // [rows, F]
    @group(0) @binding(1) var<storage, read_write> weights: array<f32>;    // [F, C]
    @group(0) @binding(2) var<storage, read_write> logits: array<f32>;     // [rows, C]
    @group(0) @binding(3) var<storage, read> grad: array<f32>;             // [rows, C], of the logits
    @group(0) @binding(4) var<storage, read_write> gradients: array<f32>;  // [F, C], of the weights

    @compute @workgroup_size(64) fn forward(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= arrayLength(&logits)) { return; }
      var sum = 0.0;
      for (var f = 0u; f < F; f++) { sum += inputs[id.x / C * F + f] * weights[f * C + id.x % C]; }
      logits[id.x] = sum;
    }

    // adds, so that several batches can follow each other
    @compute @workgroup_size(64) fn backward(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= F * C) { return; }
      var sum = 0.0;
      for (var row = 0u; row < arrayLength(&grad) / C; row++) { sum += inputs[row * F + id.x / C] * grad[row * C + id.x % C]; }
      gradients[id.x] += sum;
    }

    @compute @workgroup_size(64) fn learn(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= F * C) { return; }
      weights[id.x] -= 2.0 * gradients[id.x];
      gradients[id.x] = 0.0;
    }`,
});
// one layout for all three: each declares what it leaves alone, too
const types = /** @type {const} */ ([
  'read-only-storage',
  'storage',
  'storage',
  'read-only-storage',
  'storage',
]);
const entries = types.map((type, binding) => ({ binding, visibility: 4, buffer: { type } }));
const layout = device.createBindGroupLayout({ entries });
const pipelines = Object.fromEntries(
  ['forward', 'backward', 'learn'].map((entryPoint) => {
    const compute = { module: shaders, entryPoint };
    const whole = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    return [entryPoint, device.createComputePipeline({ layout: whole, compute })];
  }),
);

/** Buffers for some sequences, [sequences, T, …]. @param {number} sequences @param {Float32Array<ArrayBuffer>} numbers */
function batchOf(sequences, numbers) {
  const buffers = {
    inputs: buffer(numbers),
    logits: buffer(sequences * T * C),
    grad: buffer(sequences * T * C),
    loss: buffer(sequences),
    gradOutput: buffer(sequences),
  };
  const bound = [buffers.inputs, weights, buffers.logits, buffers.grad, gradients];
  const group = device.createBindGroup({
    layout,
    entries: bound.map((one, binding) => ({ binding, resource: { buffer: one } })),
  });
  return { ...buffers, group, sequences };
}

/** @param {GPUCommandEncoder} encoder @param {'forward' | 'backward' | 'learn'} name */
function pass(encoder, name, { group, sequences }) {
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipelines[name]);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil((name === 'forward' ? sequences * T * C : F * C) / 64));
  pass.end();
}

/** Forward pass, loss, backward pass: adds a batch's share to the gradient of the weights. @param {GPUCommandEncoder} encoder */
function addGradient(encoder, task, batch) {
  const { logits, loss, grad, gradOutput } = batch;
  pass(encoder, 'forward', batch);
  task.encode(encoder, { logits, loss, grad, gradOutput });
  pass(encoder, 'backward', batch);
}

/** @param {GPUBuffer} from */
async function read(from) {
  const readback = device.createBuffer({ size: from.size, usage: MAP_READ | COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(from, 0, readback, 0, from.size);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(MAP_READ);
  const numbers = new Float32Array(readback.getMappedRange().slice(0));
  readback.destroy();
  return numbers;
}

// eight frames for each label: its own feature, and some noise
const numbers = Float32Array.from({ length: N * T * F }, (_, i) => {
  const [n, t, f] = [Math.floor(i / (T * F)), Math.floor(i / F) % T, i % F];
  return Number(f === targets[n][Math.floor(t / 8)]) + 0.2 * Math.sin(i * i);
});
const weights = buffer(F * C);
const gradients = buffer(F * C);

// A training loop. The mean over the batch is a weight for each loss: PyTorch's divides by the number of labels first.
const whole = batchOf(N, numbers);
const shares = Float32Array.from(targets, ({ length }) => 1 / (N * length));
device.queue.writeBuffer(whole.gradOutput, 0, shares);
const task = await ctc.prepare({ logits: [N, T, C], layout: 'NTC', maxTargetLength: 5 });
task.setTargets(targets);
for (let step = 0; step <= 100; step++) {
  const encoder = device.createCommandEncoder();
  addGradient(encoder, task, whole);
  pass(encoder, 'learn', whole);
  device.queue.submit([encoder.finish()]);
  if (step % 25 === 0) {
    const losses = await read(whole.loss);
    const mean = losses.reduce((sum, value, n) => sum + shares[n] * value, 0);
    console.log(`step ${String(step).padStart(3)}  loss ${mean.toFixed(3)}`);
  }
}

// Micro-batches: what does not fit at once comes in parts, and `gradOutput` says what each loss counts in the whole.
const inOne = device.createCommandEncoder();
addGradient(inOne, task, whole);
device.queue.submit([inOne.finish()]);
const expected = await read(gradients);
device.queue.writeBuffer(gradients, 0, new Float32Array(F * C));

const size = N / 4;
const part = batchOf(size, numbers.slice(0, size * T * F));
const small = await ctc.prepare({ logits: [size, T, C], layout: 'NTC', maxTargetLength: 5 });
for (let first = 0; first < N; first += size) {
  // each is written before the submission that uses it
  device.queue.writeBuffer(part.inputs, 0, numbers.slice(first * T * F, (first + size) * T * F));
  device.queue.writeBuffer(part.gradOutput, 0, shares.slice(first, first + size));
  small.setTargets(targets.slice(first, first + size));
  const encoder = device.createCommandEncoder();
  addGradient(encoder, small, part);
  device.queue.submit([encoder.finish()]);
}
const summed = await read(gradients);
const largest = Math.max(...expected.map(Math.abs));
const off = Math.max(...summed.map((value, i) => Math.abs(value - expected[i]))) / largest;
console.log(
  `4 batches of ${size}: the gradient of one batch of ${N} within ${off < 1e-5 ? '1e-5' : off} of its largest`,
);
ctc.destroy();
