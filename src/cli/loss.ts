import { CtcLoss } from '../node.js';
import type { Reduction, Strategy } from '../types.js';
import { InputError, jsonNumber, readCase } from './case.js';

export interface LossCommand {
  readonly reduction: Reduction;
  readonly device: 'auto' | 'gpu' | 'cpu';
  readonly strategy: Strategy;
}

/** One line of JSON for a case file: loss, gradient, and what computed them. */
export async function lossOf(file: string, { reduction, device, strategy }: LossCommand): Promise<string> {
  const { name, blank, zeroInfinity, input } = readCase(file);
  try {
    const ctc = await CtcLoss.create({ device, strategy, reduction, blank, zeroInfinity });
    try {
      const { loss, grad, backend } = await ctc.run(input);
      return JSON.stringify({
        name,
        loss: typeof loss === 'number' ? jsonNumber(loss) : Array.from(loss, jsonNumber),
        grad: Array.from(grad, jsonNumber),
        device: backend.device,
        strategy: backend.strategy,
      });
    } finally {
      ctc.destroy();
    }
  } catch (error) {
    // wrong kinds and values are the file's; anything else is ours
    if (error instanceof TypeError || error instanceof RangeError)
      throw new InputError(`${file}: ${error.message}`);
    throw error;
  }
}
