import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CtcLoss } from 'webgpu-ctc/node';
import { expectGradient, expectLosses } from './bars.js';
import { goldens, numbers, reductions, rowMaxima } from './golden.js';

describe.each(['gpu', 'cpu'] as const)("PyTorch's results on the %s", (device) => {
  let worst = 0;
  beforeAll(async () => {
    const { backend } = await CtcLoss.create({ device });
    expect(backend.device).toBe(device);
    console.log(`${device}: ${backend.adapter}`);
  });
  afterAll(() => console.log(`${device}: largest gradient error ${worst.toExponential(1)}`));

  for (const golden of goldens) {
    test.each(reductions)(`${golden.name}, %s`, async (reduction) => {
      const { blank, zeroInfinity, input, expected } = golden;
      const ctc = await CtcLoss.create({ device, blank, zeroInfinity, reduction });
      const frames = input.logProbs!.shape[0];
      const want = expected[reduction]!;
      const { loss, grad } = await ctc.run(input);
      const losses = typeof loss === 'number' ? [loss] : loss;
      expectLosses(losses, numbers(want.loss), rowMaxima(golden), frames);
      if (want.grad) worst = Math.max(worst, expectGradient(grad, numbers(want.grad)));
      const weighted = expected.none_weighted;
      if (reduction === 'none' && weighted) {
        const result = await ctc.run({ ...input, gradOutput: numbers(weighted.gradOutput!) });
        expectGradient(result.grad, numbers(weighted.grad!));
      }
      ctc.destroy();
    });
  }
});
