import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CtcLoss } from 'webgpu-ctc/node';
import { forced } from '../src/api/forced.js';
import { devices, strategies } from './compute.js';

// T = 4 of which 3 are used, C = 4; uniform scores, blank 0, target 1 2. Class 3 is in no target.
const [T, C, used] = [4, 4, 3];
const uniform = () => new Float32Array(T * C).fill(-Math.log(C));
const at = (t: number, c: number, value: number) => (data: Float32Array) => {
  data[t * C + c] = value;
};
const row = (t: number, value: number) => (data: Float32Array) => {
  data.fill(value, t * C, (t + 1) * C);
};

type Outcome = 'finite' | 'NaN' | 'infeasible';
interface Case {
  readonly change: (data: Float32Array) => void;
  readonly outcome: Outcome;
  readonly targets?: number[];
  readonly inputLength?: number;
  readonly key?: 'logits' | 'logProbs';
  /** An entry of the gradient that is special by itself. */
  readonly entry?: readonly [t: number, c: number, value: number];
}

const nothing = () => {};
const inf = Number.POSITIVE_INFINITY;
const cases: Record<string, Case> = {
  'ordinary scores': { change: nothing, outcome: 'finite' },
  'NaN at a label': { change: at(1, 2, Number.NaN), outcome: 'NaN' },
  'NaN at the blank': { change: at(0, 0, Number.NaN), outcome: 'NaN' },
  'Infinity at a label where no path passes': { change: at(0, 2, inf), outcome: 'NaN' },
  'Infinity at the blank': { change: at(2, 0, inf), outcome: 'NaN' },
  'NaN in an infeasible sequence': { change: at(1, 1, Number.NaN), targets: [1, 1, 1], outcome: 'NaN' },
  'NaN in another class': { change: at(1, 3, Number.NaN), outcome: 'finite', entry: [1, 3, Number.NaN] },
  'Infinity in another class': { change: at(1, 3, inf), outcome: 'finite', entry: [1, 3, inf] },
  '−Infinity in another class': { change: at(1, 3, -inf), outcome: 'finite', entry: [1, 3, 0] },
  'a score in another class whose exp is beyond float32': {
    change: at(1, 3, 89),
    outcome: 'finite',
    entry: [1, 3, inf],
  },
  '−Infinity where a path remains': { change: at(1, 0, -inf), outcome: 'finite', entry: [1, 0, 0] },
  'a row of −Infinity': { change: row(1, -inf), outcome: 'infeasible' },
  'NaN and Infinity beyond the input length': {
    change: (data) => data.set([Number.NaN, inf, -inf, Number.NaN], 3 * C),
    outcome: 'finite',
  },
  'too few frames for the repeats': { change: nothing, targets: [1, 1, 2], outcome: 'infeasible' },
  'no frames, some labels': { change: row(0, Number.NaN), inputLength: 0, outcome: 'infeasible' },
  'no frames, no labels': { change: row(0, Number.NaN), inputLength: 0, targets: [], outcome: 'finite' },
  'logits: NaN in another class': { key: 'logits', change: at(1, 3, Number.NaN), outcome: 'NaN' },
  'logits: Infinity in another class': { key: 'logits', change: at(1, 3, inf), outcome: 'NaN' },
  'logits: a row of −Infinity': { key: 'logits', change: row(1, -inf), outcome: 'NaN' },
  'logits: −Infinity in another class': {
    key: 'logits',
    change: at(1, 3, -inf),
    outcome: 'finite',
    entry: [1, 3, 0],
  },
  'logits: a label at −Infinity in all frames': {
    key: 'logits',
    change: (data) => {
      for (const t of [0, 1, 2]) at(t, 2, -inf)(data);
    },
    outcome: 'infeasible',
  },
};

const places = devices.flatMap((device) => strategies.map((strategy) => [device, strategy] as const));
// rows of few classes are for one lane each, of many for a workgroup
const rows = [
  ...places.map((place) => [...place, {}] as const),
  ...strategies.map((strategy) => ['gpu', strategy, { sharedRow: 0, rowWorkgroupSize: 4 }] as const),
];

describe.each(rows)('on the %s, %s, %o', (device, strategy, tuning) => {
  for (const zeroInfinity of [false, true]) {
    const opening = CtcLoss.create({ device, strategy, reduction: 'none', zeroInfinity });
    beforeAll(async () => void forced.set(await opening, { tuning }));
    afterAll(async () => (await opening).destroy());

    test.each(Object.entries(cases))(`%s, zeroInfinity ${zeroInfinity}`, async (_, one) => {
      const ctc = await opening;
      expect(ctc.backend.device).toBe(device);
      const { change, outcome, targets = [1, 2], inputLength = used, key = 'logProbs', entry } = one;
      const data = uniform();
      change(data);
      const scores = { data, shape: [T, C] } as const;
      const lengths = { targets, inputLengths: inputLength };
      const { loss, grad } = await ctc.run(
        key === 'logits' ? { logits: scores, ...lengths } : { logProbs: scores, ...lengths },
      );

      const zero = outcome === 'infeasible' && zeroInfinity;
      if (outcome === 'NaN') expect(loss).toBeNaN();
      else if (outcome === 'infeasible') expect(loss).toBe(zero ? 0 : inf);
      else expect(loss).toSatisfy(Number.isFinite);
      for (let t = 0; t < T; t++) {
        for (let c = 0; c < C; c++) {
          const value = grad[t * C + c]!;
          const place = `gradient of (${t}, ${c})`;
          if (t >= inputLength || zero) expect(value, place).toBe(0);
          else if (outcome !== 'finite') expect(value, place).toBeNaN();
          else if (entry?.[0] === t && entry[1] === c) expect(value, place).toBe(entry[2]);
          else expect(value, place).toSatisfy(Number.isFinite);
        }
      }
    });
  }
});
