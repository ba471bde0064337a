import { expect } from 'vitest';
import { expectGradient, expectLosses } from '../test/bars.js';
import { goldens, numbers, reductions, rowMaxima } from '../test/golden.js';
import type { RunJob } from './jobs.js';

const jobs = goldens.map(({ blank, zeroInfinity, input, expected }) => {
  const weights = expected.none_weighted?.gradOutput;
  return { blank, zeroInfinity, input, weights: weights && Array.from(numbers(weights)) };
});

/** Computes all golden cases on the GPU of a page or a worker, and compares them with PyTorch's results. */
export async function expectGoldens(run: RunJob, place: string): Promise<void> {
  const { backend, results } = await run('ctc', 'golden', jobs);
  expect(backend.device).toBe('gpu');
  console.log(`${place}: ${backend.adapter} (${backend.reason})`);
  expect(results).toHaveLength(31);
  let worst = 0;
  for (const [i, golden] of goldens.entries()) {
    const frames = golden.input.logProbs!.shape[0];
    for (const reduction of reductions) {
      const want = golden.expected[reduction]!;
      const { loss, grad } = results[i]![reduction];
      const losses = typeof loss === 'number' ? [loss] : loss;
      const what = `${golden.name}, ${reduction}`;
      expectLosses(losses, numbers(want.loss), rowMaxima(golden), frames);
      if (want.grad) worst = Math.max(worst, expectGradient(grad, numbers(want.grad), what));
    }
    const weighted = golden.expected.none_weighted;
    if (weighted) expectGradient(results[i]!.weighted!.grad, numbers(weighted.grad!), golden.name);
  }
  console.log(`${place}: largest gradient error ${worst.toExponential(1)}`);
}
