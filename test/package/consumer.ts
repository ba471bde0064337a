// A program as users write it. The package test compiles it against the packed declarations.
import { CtcError, CtcLoss, ctcLoss, type GpuBuffer } from 'webgpu-ctc';
import {
  emissionsOf,
  readTensor,
  type ScoreKind,
  scoreKinds,
  writeNpy,
  writeTimedText,
} from 'webgpu-ctc/files';
import { type ByteStream, NGram, type NGramScore } from 'webgpu-ctc/lm';
import * as node from 'webgpu-ctc/node';
import { type OutputTensor, scoresFrom } from 'webgpu-ctc/onnxruntime';
import { readingOf, tokenise, Vocabulary, wordsOf } from 'webgpu-ctc/text';

const shape = [4, 2, 4] as const;
const targets = [[1, 2], [3]];
const lengths = { inputLengths: [4, 3], targetLengths: [2, 1] };

export async function onTheHost(data: Float32Array): Promise<number> {
  const ctc = await CtcLoss.create({ device: 'auto', reduction: 'sum' });
  const { loss, grad, backend } = await ctc.run({ logProbs: { data, shape }, targets, ...lengths });
  const total: number = loss;
  const gradient: Float32Array = grad;
  const device: 'gpu' | 'cpu' = backend.device;
  ctc.destroy();
  return device === 'cpu' ? total : total + gradient.length;
}

export async function onTheDevice(buffer: GpuBuffer): Promise<GpuBuffer> {
  const ctc = await node.CtcLoss.create({ device: 'gpu' });
  const { loss, grad } = await ctc.run({ logits: { data: buffer, shape }, targets, ...lengths });
  const lossBuffer: GpuBuffer = loss;
  // @ts-expect-error: buffers in, buffers out
  const array: Float32Array = grad;
  return array ? lossBuffer : grad;
}

export async function oneByOne(data: Float32Array): Promise<Float32Array> {
  const ctc = await CtcLoss.create({ reduction: 'none', gradient: 'none' });
  const result = await ctc.run({ logProbs: { data, shape }, targets, ...lengths });
  // @ts-expect-error: nobody asked for a gradient
  if (result.grad) throw new Error();
  return result.loss;
}

export const oneLiner = (data: Float32Array) =>
  ctcLoss({ data, shape }, targets, [4, 3], [2, 1], { blank: 0 }).catch((error: unknown) => {
    if (error instanceof CtcError && error.code === 'no-webgpu') return undefined;
    throw error;
  });

export async function subtitles(file: Uint8Array, text: string): Promise<string> {
  const { argument, data, frames, classes } = emissionsOf(await readTensor(file, 'scores.npy'));
  const scores = { data, shape: [frames, classes] as const };
  const transcript = tokenise(text, Vocabulary.from(['<blank>', 'a', 'b']));
  const aligner = await node.CtcAligner.create();
  const { targets } = transcript;
  const path = await aligner.run(
    argument === 'logits'
      ? { logits: scores, targets: [...targets] }
      : { logProbs: scores, targets: [...targets] },
  );
  const { words } = wordsOf(transcript, path, { frameSeconds: 0.02 });
  return writeTimedText('words.srt', words);
}

export async function likelihood(file: ByteStream, sentence: string): Promise<number> {
  const model = await NGram.read(file);
  const { log10, words }: NGramScore = model.score(sentence);
  const again = await NGram.read(model.write());
  return words.length > 0 ? log10 : again.score([sentence], { end: false }).log10;
}

export const kinds: readonly ScoreKind[] = scoreKinds;
export const saved: Uint8Array = writeNpy(new Float32Array(6), [2, 3]);

export async function ofASession(data: Float32Array): Promise<string> {
  const { scores, device, path, reason } = await scoresFrom({ dims: [1, 4, 4], data }, { kind: 'logits' });
  // arrays or buffers: the path says which, and so what comes out
  if (path === 'gpu') return reason;
  const ctc = await CtcLoss.create({ device });
  const { loss } = await ctc.run({ ...scores, targets: [[1, 2]] });
  ctc.destroy();
  return `${loss.toFixed(2)} ${path} ${reason}`;
}

/** A model's output wherever it is, with one call, and the text helpers take what comes. */
export async function readBySession(tensor: OutputTensor): Promise<string> {
  const { scores, device } = await scoresFrom(tensor, { kind: 'probs' });
  const vocabulary = Vocabulary.from(['<blank>', 'a', 'b']);
  const decoder = await node.CtcDecoder.create({ device, blank: vocabulary.blank });
  const { readings, labels, scores: logProbs } = await decoder.run({ ...scores, results: 'host' });
  const { text } = readingOf(labels, logProbs, vocabulary, { frameSeconds: 0.02 });
  const transcript = tokenise(text, vocabulary);
  const aligner = await node.CtcAligner.create({ device });
  const path = await aligner.run({ ...scores, targets: [transcript.targets], results: 'host' });
  const { words } = wordsOf(transcript, path, { frameSeconds: 0.02 });
  return `${readings.length} ${words.length}`;
}

export async function probabilities(data: Float32Array, buffer: GpuBuffer): Promise<number> {
  const ctc = await CtcLoss.create();
  const task = await ctc.prepare({ probs: shape, maxTargetLength: 2 });
  const { loss, grad } = await task.run({ probs: buffer, results: 'host' });
  const gradient: Float32Array = grad;
  // @ts-expect-error: one of them
  await ctc.run({ probs: { data, shape }, logits: { data, shape }, targets });
  return loss + gradient.length + (await task.run({ probs: data })).loss;
}
