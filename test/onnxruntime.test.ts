import { beforeAll, describe, expect, test } from 'vitest';
import { CtcDecoder, CtcLoss } from 'webgpu-ctc/node';
import { type OutputTensor, scoresFrom } from 'webgpu-ctc/onnxruntime';
import { openDevice, type TestDevice } from './device.js';
import { difference } from './frameworks.js';
import { expectNamed } from './nasty.js';

let ours: TestDevice;
let others: TestDevice;
beforeAll(async () => {
  [ours, others] = await Promise.all([openDevice(), openDevice()]);
});

const data = Float32Array.from({ length: 2 * 5 * 3 }, (_, i) => Math.sin(i * i));
const onHost = { dims: [2, 5, 3], type: 'float32', data };
/** As ONNX Runtime has it: reading `data` of what is on the GPU throws. */
const onGpu = (of: TestDevice): OutputTensor & { downloads: number } => ({
  ...{ dims: [2, 5, 3], type: 'float32', location: 'gpu-buffer', gpuBuffer: of.buffer(data), downloads: 0 },
  get data(): never {
    throw new Error('The data is not on CPU.');
  },
  async getData() {
    this.downloads++;
    return data;
  },
});
const envOf = (device: GPUDevice) => ({ webgpu: { device: Promise.resolve(device) } });

describe('where the scores are read', () => {
  test('on the host, as logits or log-probabilities, of two or three axes', async () => {
    const plain = await scoresFrom(onHost);
    expect(plain).toEqual({
      scores: { logits: { data, shape: [2, 5, 3], layout: 'NTC', dtype: 'float32' } },
      ...{ device: 'auto', path: 'host', reason: 'the session left it on the host' },
    });
    const other = await scoresFrom({ dims: [10, 3], data }, { kind: 'logProbs' });
    expect(other.scores).toEqual({ logProbs: { data, shape: [10, 3], layout: 'TC', dtype: 'float32' } });
    const halves = await scoresFrom(
      { dims: [5, 2, 3], type: 'float16', data: new Uint16Array(30) },
      { layout: 'TNC' },
    );
    expect(halves.scores.logits).toMatchObject({ layout: 'TNC', dtype: 'float16' });
    // transformers.js wraps them
    const wrapped = { dims: [2, 5, 3], ort_tensor: onHost } as OutputTensor;
    expect((await scoresFrom(wrapped)).scores).toEqual(plain.scores);
  });

  test("on the session's device, without a copy", async () => {
    const output = onGpu(ours);
    const { scores, device, path } = await scoresFrom(output, { env: envOf(ours.device) });
    expect([path, device, scores.logits!.data, output.downloads]).toEqual([
      'gpu',
      ours.device,
      output.gpuBuffer,
      0,
    ]);
    const decoder = await CtcDecoder.create({ device });
    if (path !== 'gpu') throw new Error('not on the GPU');
    const { labels } = await decoder.run(scores);
    const other = await scoresFrom(onHost);
    if (other.path !== 'host') throw new Error(other.reason);
    const host = await decoder.run(other.scores);
    const there = new Int32Array((await ours.read(labels as GPUBuffer)).buffer);
    expect(there).toEqual(host.labels);
    decoder.destroy();
  });

  test('arrays, wherever the scores are, with one call', async () => {
    for (const output of [onGpu(ours), onHost]) {
      const { scores, device } = await scoresFrom(output, { kind: 'probs', env: envOf(ours.device) });
      const decoder = await CtcDecoder.create({ device });
      const { readings, labels } = await decoder.run({ ...scores, results: 'host' });
      expect(readings.map(({ ids }) => ids.length)).toHaveLength(2);
      expect(labels).toBeInstanceOf(Int32Array);
      expect(Object.keys(scores)).toEqual(['probs']);
      decoder.destroy();
    }
  });

  test('a device that is lost is told', async () => {
    const gone = await openDevice();
    const output = onGpu(gone);
    gone.device.destroy();
    await expect(scoresFrom(output, { env: envOf(gone.device) })).rejects.toMatchObject({
      code: 'device-lost',
    });
  });

  test('of another device, or of no known one: over the host, and it says so', async () => {
    const output = onGpu(others);
    const elsewhere = await scoresFrom(output, { env: envOf(ours.device) });
    expect(elsewhere).toMatchObject({
      scores: { logits: { data } },
      ...{
        device: ours.device,
        path: 'host',
        reason: 'the buffer belongs to another device: copied over the host',
      },
    });
    const asked = await scoresFrom(output, { env: envOf(others.device), device: ours.device });
    expect(asked).toMatchObject({ device: ours.device, path: 'host' });
    const unknown = await scoresFrom(output);
    expect(unknown).toMatchObject({
      ...{ device: 'auto', path: 'host' },
      reason: 'no env was given to say on which device it is: copied over the host',
    });
    expect(output.downloads).toBe(3);
    const nothing = { ...onHost, location: 'gpu-buffer', gpuBuffer: { not: 'a buffer' } };
    expect(await scoresFrom(nothing, { env: envOf(ours.device) })).toMatchObject({ path: 'host' });
  });
});

test("a hundred outputs: the core's gradient, and nothing is left behind", async () => {
  const output = onGpu(ours);
  const targets = [[1, 2], [2]];
  const ctc = await CtcLoss.create({ device: ours.device, reduction: 'sum' });
  const expected = await ctc.run({ logits: { data, shape: [2, 5, 3], layout: 'NTC' }, targets });
  const env = envOf(ours.device);
  const before = ours.alive();
  for (let i = 0; i < 100; i++) {
    const { scores, path } = await scoresFrom(output, { env });
    if (path !== 'gpu') throw new Error('not on the GPU');
    const { loss, grad } = await ctc.run({ ...scores, targets });
    if (i === 99) {
      expect(difference(await ours.read(grad as GPUBuffer), expected.grad as Float32Array)).toBeLessThan(
        1e-6,
      );
    }
    for (const buffer of [loss, grad]) (buffer as GPUBuffer).destroy();
  }
  expect(ours.alive()).toEqual(before);
  ctc.destroy();
});

test('what is wrong is named', async () => {
  const wrong = (output: unknown, options?: object) =>
    expect(scoresFrom(output as OutputTensor, options)).rejects;
  await wrong(undefined).toThrow(
    'output: expected a tensor: { dims, data } or { dims, gpuBuffer }, got undefined',
  );
  // all outputs in place of one
  await wrong({ logits: onHost }).toThrow('did you mean one of logits?');
  await wrong({ dims: [30], data }).toThrow(
    'output.dims: expected three axes (NTC or TNC) or two (TC), got [30]',
  );
  await wrong({ ...onHost, type: 'int64' }).toThrow(
    "output.type: expected 'float32' or 'float16', got 'int64'",
  );
  await wrong({ dims: [2, 5, 3] }).toThrow('output.data: expected a typed array');
  await wrong(onHost, { layout: 'NCT' }).toThrow("layout: expected one of 'NTC', 'TNC', got 'NCT'");
  await wrong(onHost, { kind: 'softmax' }).toThrow(
    "kind: expected one of 'logits', 'logProbs', 'probs', got 'softmax'",
  );
  await wrong({ data }).toThrow('output.dims: expected three axes');
  await wrong({ dims: [2, 5, 3], location: 'gpu-buffer' }).toThrow('output.gpuBuffer: expected a GPUBuffer');
  await wrong(onHost, { env: { webgpu: { device: Promise.reject(new Error('nope')) } } }).toThrow(
    'env.webgpu.device: expected a GPUDevice, got a promise that rejects: nope',
  );
  await wrong(onHost, { session: 1 }).toThrow('options: expected the keys kind, layout, env, device');
});

test('whatever comes, the error names the argument', async () => {
  const output = (change: object) => scoresFrom({ ...onHost, ...change } as OutputTensor);
  await expectNamed('output', (value) => scoresFrom(value as OutputTensor));
  await expectNamed('output', (dims) => output({ dims }));
  await expectNamed(
    'output.type',
    (type) => output({ type }),
    (what) => what === 'null',
  );
  await expectNamed(
    'options',
    (value) => scoresFrom(onHost, value as object),
    (what) => /^an object( of (no|a) class)?$/.test(what),
  );
  for (const key of ['kind', 'layout', 'device'])
    await expectNamed(key, (value) => scoresFrom(onHost, { [key]: value }));
  // what can be awaited no more throws by itself
  const fine = (what: string) => what === 'null' || what === 'a proxy that was revoked';
  await expectNamed('env', (device) => scoresFrom(onHost, { env: { webgpu: { device } } }), fine);
});
