import { readdirSync, readFileSync } from 'node:fs';
import { type Case, parseCase } from '../src/cli/case.js';
import type { Reduction } from '../src/problem/types.js';

type Numbers = (number | string)[];

export interface Golden extends Case {
  readonly expected: Readonly<Record<string, { loss: Numbers; grad?: Numbers; gradOutput?: Numbers }>>;
}

const folder = new URL('../fixtures/golden/', import.meta.url);

export const goldens: readonly Golden[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    return { ...parseCase(name, text), expected: JSON.parse(text).expected };
  });

export const reductions: readonly Reduction[] = ['none', 'sum', 'mean'];

export const numbers = (values: Numbers): Float64Array => Float64Array.from(values, Number);

/** Sum of the magnitudes of the row maxima over what counts, as the bar for losses has it. */
export function rowMaxima({ input }: Golden): number {
  const { data, shape } = input.logProbs!;
  const classes = shape[shape.length - 1]!;
  let sum = 0;
  for (let row = 0; row < data.length; row += classes) {
    const largest = data
      .subarray(row, row + classes)
      .reduce((a, b) => (b > a && b < Infinity ? b : a), -Infinity);
    if (Number.isFinite(largest)) sum += Math.abs(largest);
  }
  return sum;
}
