import { test } from 'vitest';
import { expectGradient, expectLosses } from './bars.js';
import { compute, type How } from './compute.js';
import { makeBatch, reference } from './reference.js';

const ways: Record<string, How> = {
  'gpu, step': { strategy: 'step' },
  'gpu, fused': { strategy: 'fused' },
  // 401 pairs in 13 blocks; a lattice of some slices, between them checkpoints
  'gpu, tiled in slices': {
    strategy: 'tiled',
    tuning: { lanes: 8, subgroups: false },
    limits: { maxStorageBufferBindingSize: 2 ** 22 },
  },
  'cpu, step': { device: 'cpu', strategy: 'step' },
  'cpu, fused': { device: 'cpu', strategy: 'fused' },
};

// 10,000 and 30,000 frames: bench/accuracy.js
test.each([
  ['random', 'logProbs'],
  ['confident', 'logits'],
  ['mismatched', 'logProbs'],
  ['mismatched', 'logits'],
] as const)('3000 frames, 400 labels, %s %s: loss and gradient as in float64', async (kind, scores) => {
  const batch = makeBatch(kind, 11, { frames: 3000, sequences: 1, classes: 32, labels: 400 });
  const expected = reference(batch, scores, 'logits');
  for (const [way, how] of Object.entries(ways)) {
    // a reduced loss is a number, not rounded to float32
    const { loss, grad } = await compute(batch, { ...how, scores, reduction: 'sum' });
    const lossError = expectLosses(loss, expected.loss, expected.rowMaxima, batch.frames);
    const gradError = expectGradient(grad, expected.grad);
    console.log(`${way}: gradient ± ${gradError.toExponential(1)}, loss ± ${lossError.toExponential(1)}`);
  }
});
