import { test } from 'vitest';
import { expectGradient, expectLosses } from './bars.js';
import { compute, devices } from './compute.js';
import { makeBatch, reference } from './reference.js';

// 10,000 and 30,000 frames: bench/accuracy.js
test.each([
  ['random', 'logProbs'],
  ['confident', 'logits'],
  ['mismatched', 'logProbs'],
  ['mismatched', 'logits'],
] as const)('3000 frames, 400 labels, %s %s: loss and gradient as in float64', async (kind, scores) => {
  const batch = makeBatch(kind, 11, { frames: 3000, sequences: 1, classes: 32, labels: 400 });
  const expected = reference(batch, scores, 'logits');
  for (const device of devices) {
    // a reduced loss is a number, not rounded to float32
    const { loss, grad } = await compute(batch, { device, scores, reduction: 'sum' });
    const lossError = expectLosses(loss, expected.loss, expected.rowMaxima, batch.frames);
    const gradError = expectGradient(grad, expected.grad);
    console.log(`${device}: gradient ± ${gradError.toExponential(1)}, loss ± ${lossError.toExponential(1)}`);
  }
});
