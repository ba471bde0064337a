// Compiled by `tsc`, never run: what comes out follows from what went in.
import { CtcAligner, CtcDecoder, CtcLoss, CtcPosterior, ctcLoss, type LossResult } from 'webgpu-ctc';

declare const data: Float32Array;
declare const buffer: GPUBuffer;
declare const encoder: GPUCommandEncoder;
declare const device: GPUDevice;
const shape = [4, 2, 5] as const;
const targets = [[1, 2], [3]];

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>) => {};

export async function lossFollowsReductionAndBatch(): Promise<void> {
  const ofMean = await (await CtcLoss.create()).run({ logProbs: { data, shape }, targets });
  same<typeof ofMean.loss, number>(true);
  same<typeof ofMean.grad, Float32Array>(true);

  const sum = await CtcLoss.create({ reduction: 'sum' });
  const ofSum = await sum.run({ logits: { data, shape: [2, 4, 5], layout: 'NTC' }, targets });
  same<typeof ofSum.loss, number>(true);

  const none = await CtcLoss.create({ reduction: 'none', zeroInfinity: true });
  const ofBatch = await none.run({ logits: { data, shape }, targets });
  same<typeof ofBatch.loss, Float32Array>(true);
  const ofOne = await none.run({ logits: { data, shape: [4, 5] }, targets: [1, 2] });
  same<typeof ofOne.loss, number>(true);

  const { loss } = await ctcLoss({ data, shape }, targets, [4, 3], [2, 1], { reduction: 'none' });
  same<typeof loss, Float32Array>(true);
  const byDefault = await ctcLoss({ data, shape }, targets);
  same<typeof byDefault.loss, number>(true);
}

export async function gradIsThereWhenAskedFor(): Promise<void> {
  for (const gradient of ['logits', 'logProbs'] as const) {
    const { grad } = await (await CtcLoss.create({ gradient })).run({ logProbs: { data, shape }, targets });
    same<typeof grad, Float32Array>(true);
  }
  const ctc = await CtcLoss.create({ gradient: 'none' });
  const result = await ctc.run({ logProbs: { data, shape }, targets });
  same<typeof result.loss, number>(true);
  // @ts-expect-error: nobody asked for a gradient
  result.grad;
  const task = await ctc.prepare({ logProbs: shape, maxTargetLength: 2 });
  // @ts-expect-error: nor here
  (await task.run({ logProbs: buffer })).grad;
}

export async function buffersInBuffersOut(): Promise<void> {
  const ctc = await CtcLoss.create({ device, reduction: 'none' });
  const result = await ctc.run({ logits: { data: buffer, shape }, targets, gradOutput: buffer });
  same<typeof result.loss, GPUBuffer>(true);
  same<typeof result.grad, GPUBuffer>(true);

  const task = await ctc.prepare({ logits: shape, maxTargetLength: 2, keep: ['posterior'] });
  task.setTargets(targets, { inputLengths: 4 });
  const onDevice = await task.run({ logits: { buffer, offset: 256, size: 160 }, loss: buffer, grad: buffer });
  same<typeof onDevice.loss, GPUBuffer>(true);
  const onHost = await task.run(
    { logits: data, gradOutput: [1, 2] },
    { onProgress: (share: number) => share },
  );
  same<typeof onHost.loss, Float32Array>(true);
  same<typeof onHost.grad, Float32Array>(true);
  task.encode(encoder, { logits: buffer, grad: { buffer, offset: 4 }, gradOutput: buffer });
  same<Awaited<ReturnType<typeof task.read>>, Float64Array>(true);

  const layout = device.createBindGroupLayout({ entries: [] });
  for (const { entries } of task.lattice.blocks) device.createBindGroup({ layout, entries });

  const one = await ctc.prepare({ logits: [4, 5], maxTargetLength: 2 });
  same<Awaited<ReturnType<typeof one.run<Float32Array>>>['loss'], number>(true);
}

export async function resourcesCanBeUsed(): Promise<void> {
  using ctc = await CtcLoss.create();
  using task = await ctc.prepare({ logits: shape, maxTargetLength: 2 });
  task.setTargets({ data: Int32Array.of(1, 2, 3, 0), shape: [2, 2] }, { targetLengths: [2, 1] });
  task.setTargets([Uint8Array.of(1, 2), [3]]);
}

/** Without knowing the options, a loss is one of both. */
export function anyLoss(result: LossResult): number | Float32Array {
  return result.loss;
}

export async function wrongUse(): Promise<void> {
  const ctc = await CtcLoss.create({ reduction: 'sum' });
  const input = { logProbs: { data, shape }, targets };
  // @ts-expect-error: there is no such reduction
  await CtcLoss.create({ reduction: 'average' });
  // @ts-expect-error: there is no such option
  await CtcLoss.create({ blanc: 0 });
  // @ts-expect-error: a device is more than a name
  await CtcLoss.create({ device: 'webgpu' });
  // @ts-expect-error: exactly one of logits, logProbs and probs
  await ctc.run({ ...input, logits: { data, shape } });
  // @ts-expect-error: exactly one of logits, logProbs and probs
  await ctc.run({ targets });
  // @ts-expect-error: no targets
  await ctc.run({ logProbs: { data, shape } });
  // @ts-expect-error: float64
  await ctc.run({ logProbs: { data: new Float64Array(40), shape }, targets });
  // @ts-expect-error: one dimension
  await ctc.run({ logProbs: { data, shape: [40] }, targets });
  // @ts-expect-error: no such layout
  await ctc.run({ logProbs: { data, shape, layout: 'CTN' }, targets });
  // @ts-expect-error: labels are numbers
  await ctc.run({ logProbs: { data, shape }, targets: [['a']] });
  // @ts-expect-error: a sum is a number
  const losses: Float32Array = (await ctc.run(input)).loss;
  // @ts-expect-error: room for the labels
  await ctc.prepare({ logProbs: shape });
  const task = await ctc.prepare({ logProbs: shape, maxTargetLength: losses.length });
  // @ts-expect-error: encode takes buffers
  task.encode(encoder, { logProbs: data, grad: buffer });
  // @ts-expect-error: there is no such lattice
  await task.read('gamma');
  // @ts-expect-error: a controller is no signal
  await task.run({ logProbs: data }, { signal: new AbortController() });
}

export async function readingFollowsWhatWentIn(): Promise<void> {
  const aligner = await CtcAligner.create({ device });
  const ofBatch = await aligner.run({ logits: { data, shape }, targets });
  same<typeof ofBatch.labels, Int32Array>(true);
  same<typeof ofBatch.score, Float64Array>(true);
  const ofOne = await aligner.run({ logits: { data, shape: [4, 5] }, targets: [1, 2] });
  same<typeof ofOne.score, number>(true);
  const onDevice = await aligner.run({ logits: { data: buffer, shape }, targets });
  same<typeof onDevice.labels, GPUBuffer>(true);
  // @ts-expect-error: nothing is read back
  onDevice.score;
  const { readings } = await (await CtcDecoder.create()).run({ logits: { data, shape } });
  same<(typeof readings)[number]['ids'], Int32Array>(true);
  const { durations } = await (await CtcPosterior.create()).run({
    logits: { data, shape },
    targets,
    samples: 2,
  });
  same<typeof durations, Float32Array>(true);
}
