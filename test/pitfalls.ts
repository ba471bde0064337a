import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Cases of fixtures/pitfalls: emissions and what is right, found by enumeration. */
export interface Pitfall {
  readonly name: string;
  readonly kind: string;
  readonly pitfall: string;
  readonly classes: readonly string[];
  readonly blank: number;
  readonly separator?: number | null;
  readonly scores: 'logProbs' | 'logits';
  readonly emissions: readonly (readonly (number | string)[])[];
  readonly lm?: {
    readonly file: string;
    readonly level: 'word' | 'token';
    readonly weight: number;
    readonly wordBonus: number;
    readonly unknownOffset: number;
  };
  readonly lexicon?: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly hotwords?: readonly (readonly [string, number])[];
  readonly expected: {
    readonly nbest: readonly PitfallText[];
  };
}

export interface PitfallText {
  readonly text: string;
  readonly labels?: readonly number[];
  readonly objective: number;
  readonly ctc: number;
  readonly lm?: number;
  readonly hotwords?: number;
  readonly unknown?: number;
  readonly wordTimes?: readonly (readonly [string, number, number])[];
}

const folder = new URL('../fixtures/pitfalls/', import.meta.url);

export function pitfalls<T = Pitfall>(kind: string): T[] {
  return readdirSync(fileURLToPath(new URL('cases/', folder)))
    .sort()
    .map((file) => JSON.parse(readFileSync(new URL(`cases/${file}`, folder), 'utf8')))
    .filter((one) => one.kind === kind);
}

/** A model that a case names. */
export const arpa = (file: string) => readFileSync(new URL(`cases/${file}`, folder));

const numbers: Readonly<Record<string, number>> = { '-Infinity': -Infinity, Infinity, NaN: Number.NaN };

export function emissionsOf(rows: Pitfall['emissions']): Float32Array {
  return Float32Array.from(rows.flat(), (value) => (typeof value === 'string' ? numbers[value]! : value));
}
