import type { ProblemShape } from '../plan/plan.js';

/** The losses of a batch, infinite where there is no path, as they are asked for, in float64: all of them, or one number. */
export function reduced(
  each: Float64Array,
  { reduction, sequences, zeroInfinity }: Pick<ProblemShape, 'reduction' | 'sequences' | 'zeroInfinity'>,
  targetLengths: readonly number[],
): Float64Array {
  const losses = zeroInfinity ? each.map((loss) => (loss === Number.POSITIVE_INFINITY ? 0 : loss)) : each;
  if (reduction === 'none') return losses;
  let sum = 0;
  let worst = 0;
  losses.forEach((loss, n) => {
    const labels = Math.max(targetLengths[n]!, 1);
    if (Number.isFinite(loss)) sum += reduction === 'sum' ? loss : loss / (sequences * labels);
    else worst += loss; // NaN if any is, else Infinity
  });
  return Float64Array.of(sum + worst);
}
