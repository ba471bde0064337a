import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CtcLoss } from 'webgpu-ctc/node';
import { expectGradient, expectLosses } from './bars.js';
import { strategies } from './compute.js';
import { sharedDevice } from './device.js';
import { goldens, numbers, reductions, rowMaxima } from './golden.js';

const places = {
  'the GPU': 'gpu',
  'a device of default limits without features': (await sharedDevice()).device,
  'the CPU': 'cpu',
} as const;
const ways = Object.entries(places).flatMap(([place, device]) =>
  strategies.map((strategy) => [place, strategy, device] as const),
);

describe.each(ways)("PyTorch's results on %s by strategy %s", (place, strategy, device) => {
  let worst = 0;
  beforeAll(async () => {
    const { backend } = await CtcLoss.create({ device });
    expect(backend.device).toBe(device === 'cpu' ? 'cpu' : 'gpu');
    console.log(`${place}: ${backend.adapter}`);
  });
  afterAll(() => console.log(`${place}, ${strategy}: largest gradient error ${worst.toExponential(1)}`));

  for (const golden of goldens) {
    test.each(reductions)(`${golden.name}, %s`, async (reduction) => {
      const { blank, zeroInfinity, input, expected } = golden;
      const ctc = await CtcLoss.create({ device, strategy, blank, zeroInfinity, reduction });
      const frames = input.logProbs!.shape[0];
      const want = expected[reduction]!;
      const { loss, grad, backend } = await ctc.run(input);
      expect(backend.strategy).toBe(strategy);
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
