import { describe, expect, test } from 'vitest';
import { adapterOf } from '../src/device.js';
import type { KernelName } from '../src/kernels/kernels.js';
import type { Plan } from '../src/plan.js';
import { openDevice, type TestDevice } from './device.js';
import { type Batch, makeBatch } from './reference.js';
import { type Left, layoutOf, onCpu, onDevice, planOf, until, type Way } from './twins.js';

const plain = await openDevice();
const withSubgroups = await openDevice('subgroups');
const { subgroupSize } = adapterOf(withSubgroups.device);

const range = (first: number, end: number) =>
  Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);

/** Each sequence as shaders/shared/sequence.wgsl and middle.wgsl see it. */
function sequencesOf({ inputLengths, targets }: Batch) {
  return targets.map((target, n) => {
    const [T, S] = [inputLengths[n]!, target.length];
    const middle = Math.floor((T - 1) / 2);
    const required = S + target.filter((label, i) => label === target[i - 1]).length;
    return {
      ...{ n, T, S },
      hasPaths: T > 0 && T >= required,
      slots: new Set(target).size + 1,
      /** Pairs on whole paths at a step. */
      band: (k: number) => range(Math.max(0, S + k - T), Math.min(k, S) + 1),
      sweeps: [
        { row: 2 * n, steps: T === 0 ? [] : range(0, middle + 1) },
        { row: 2 * n + 1, steps: T === 0 ? [] : range(0, T - middle) },
      ],
    };
  });
}

/** What a kernel writes into one buffer for others to read: names of numbers, and the numbers. */
type Numbers = (left: Left) => (readonly [what: string, value: number])[];

/** The numbers of each kernel of a plan, buffer by buffer. */
function writesOf(plan: Plan, batch: Batch): Partial<Record<KernelName, Record<string, Numbers>>> {
  const { frames, sequences, classes } = batch;
  const all = sequencesOf(batch);
  const withPaths = all.filter(({ hasPaths }) => hasPaths);
  const used = all.flatMap(({ n, T }) => range(n * frames, n * frames + T));
  const named = (what: string, values: number[]) =>
    values.map((value, j) => [`${what}: ${j}`, value] as const);
  const { pairs, emissionRows, distinct, labels } = layoutOf(plan);

  const emissions =
    (name: string, rows: { row: number; steps: number[]; slots: number }[]): Numbers =>
    (left) =>
      rows.flatMap(({ row, steps, slots }) =>
        steps.flatMap((k) => {
          const at = (row * emissionRows + k) * (distinct + 2);
          // the last one is of what does not exist
          const values = [...range(0, slots), distinct + 1].map((slot) => left.extended(name, at + slot));
          return named(`row ${row}, step ${k}`, values);
        }),
      );
  const common: Record<'loss' | 'gradient' | 'reduce', Record<string, Numbers>> = {
    loss: {
      // Z of a sequence that has none is read by nobody
      totals: (left) =>
        range(0, sequences).flatMap((n) => {
          const total = left.total(n);
          return named(`sequence ${n}`, total[1] === 0 ? total : total.slice(0, 4));
        }),
    },
    gradient: {
      grad: (left) => range(0, frames * sequences * classes).map((i) => [`${i}`, left.word('grad', i)]),
    },
    reduce: { losses: (left) => [['loss', left.word('losses', 0)]] },
  };
  const framesOf: Numbers = (left) => used.flatMap((i) => named(`frame ${i}`, left.frame(i)));

  if (plan.strategy === 'step') {
    /** The states of each frame that are on whole paths. */
    const band =
      (values: (left: Left, states: number[]) => number[]): Numbers =>
      (left) =>
        withPaths.flatMap(({ n, T, band }) =>
          range(0, T).flatMap((t) => {
            const first = (n * frames + t) * (labels + 1);
            const states = band(t).flatMap((i) => [2 * (first + i), 2 * (first + i) + 1]);
            return named(`sequence ${n}, frame ${t}`, values(left, states));
          }),
        );
    const logarithms = (name: string) => band((left, states) => states.map((i) => left.extended(name, i)));
    // of a frame they sum to 1 at last; until then their scale is free
    const shares = band((left, states) => {
      const masses = states.map((i) => left.mantissa('lattice.0.0', i));
      const sum = masses.reduce((a, b) => a + b, 0);
      return masses.map((mass) => mass / sum);
    });
    const rows = all.map(({ n, T, slots }) => ({ row: n, steps: range(0, T), slots }));
    return {
      ...common,
      rows: { frames: framesOf, emissions: emissions('emissions.0', rows) },
      alpha: {
        lattice: logarithms('lattice.0.0'),
        ends: (left) =>
          withPaths.flatMap(({ n, S }) =>
            named(
              `sequence ${n}`,
              (S > 0 ? [0, 1] : [0]).map((label) => left.extended('ends', 2 * n + label)),
            ),
          ),
      },
      scales: { scales: (left) => used.map((i) => [`frame ${i}`, left.scale('scales.0', i)]) },
      beta: { betas: logarithms('betas.0.0'), alpha: logarithms('alpha.0.0'), lattice: shares },
      posterior: { lattice: shares },
    };
  }

  const atEachStep =
    (values: (left: Left, row: number, k: number, band: number[]) => number[]): Numbers =>
    (left) =>
      withPaths.flatMap(({ sweeps, band }) =>
        sweeps.flatMap(({ row, steps }) =>
          steps.flatMap((k) => named(`row ${row}, step ${k}`, values(left, row, k, band(k)))),
        ),
      );
  const sweeps = all.flatMap(({ sweeps, slots }) => sweeps.map((sweep) => ({ ...sweep, slots })));
  return {
    ...common,
    rows: { frames: framesOf, emissions: emissions('emissions', sweeps) },
    loss: {
      ...common.loss,
      // the posteriors at the middle frame
      posteriors: (left) =>
        range(0, 2 * sequences).flatMap((row) => {
          const values = range(0, pairs).flatMap((pair) =>
            [0, 1].map((label) => left.posterior(row, pair, label)),
          );
          return named(`row ${row}`, values);
        }),
    },
    sweep: {
      lattice: atEachStep((left, row, k, band) =>
        band.flatMap((pair) => [0, 1].map((second) => left.lattice(row, k, pair, second))),
      ),
      states: (left) =>
        withPaths.flatMap(({ sweeps, band }) =>
          sweeps.flatMap(({ row, steps }) => {
            const arrived = band(steps.at(-1)!);
            const values = arrived.flatMap((pair) => [0, 1].map((label) => left.state(row, pair, label)));
            return named(`row ${row}`, values);
          }),
        ),
    },
    spread: {
      'lattice, labels': atEachStep((left, row, k, band) =>
        band.map((pair) => left.lattice(row, k, pair, 0)),
      ),
      'lattice, blanks': atEachStep((left, row, k, band) => [left.blanks(row, k, band)]),
    },
  };
}

function expectNear(name: string, got: ReturnType<Numbers>, expected: ReturnType<Numbers>) {
  expect(expected.length).toBeGreaterThan(0);
  expect(got.length).toBe(expected.length);
  got.forEach(([what, x], i) => {
    const wanted = expected[i]![1];
    const near =
      Object.is(x, wanted) || Math.abs(x - wanted) <= 2e-6 + 1e-6 * Math.abs(wanted) || x === wanted;
    if (!near) expect.fail(`${name} of ${what}: expected ${wanted}, got ${x}`);
  });
}

const together = { sharedRow: 0, rowWorkgroupSize: 4 };
const barriers = { lanes: 2, subgroups: false };
const shuffles = { lanes: subgroupSize ?? 0, rowWorkgroupSize: subgroupSize ?? 0, subgroups: true };
const kept = ['alpha', 'beta', 'posterior'] as const;
/** 22 pairs are three blocks of two lanes, each sweep some segments of a few steps. */
const segments = { elementsPerDispatch: 512 };
const ways: Record<string, Omit<Way, 'scores'>> = {
  'step, a lane a row': { strategy: 'step', keep: kept },
  'step, lanes that share rows': { strategy: 'step', keep: kept, tuning: together },
  'fused, barriers': { strategy: 'fused', tuning: barriers },
  'fused, lanes that share rows, in segments': {
    strategy: 'fused',
    tuning: { ...barriers, ...together, ...segments },
  },
  'tiled, barriers, in segments': { strategy: 'tiled', tuning: { ...barriers, ...segments } },
  ...(subgroupSize && {
    'fused, subgroups': { strategy: 'fused', tuning: shuffles },
    'tiled, subgroups that share rows, in segments': {
      strategy: 'tiled',
      tuning: { ...shuffles, sharedRow: 0, ...segments },
    },
  }),
};

const batch = makeBatch('random', 3, { frames: 41, sequences: 7, classes: 9, labels: 24, ragged: true });

test('the batch has what the kernels treat apart', () => {
  const all = sequencesOf(batch);
  expect(all.some(({ hasPaths }) => !hasPaths)).toBe(true);
  expect(all.some(({ hasPaths, T }) => hasPaths && T % 2 === 0)).toBe(true);
  expect(all.some(({ hasPaths, T }) => hasPaths && T % 2 === 1)).toBe(true);
  expect(all.some(({ hasPaths, T, S }) => hasPaths && S > T / 2)).toBe(true);
  expect(all.some(({ S }) => S > 16)).toBe(true);
});

describe.each(['logProbs', 'logits'] as const)(
  'each kernel writes what its twin writes, from %s',
  (scores) => {
    describe.each(Object.entries(ways))('%s', (_, way) => {
      const plan = planOf(batch, { ...way, scores });
      const gpu: TestDevice = way.tuning?.subgroups ? withSubgroups : plain;
      for (const [kernel, buffers] of Object.entries(writesOf(plan, batch))) {
        test(`${kernel}: ${Object.keys(buffers).join(', ')}`, async () => {
          const part = until(plan, kernel as KernelName);
          const [device, cpu] = [await onDevice(gpu, part, batch), await onCpu(part, batch)];
          for (const [name, numbers] of Object.entries(buffers))
            expectNear(name, numbers(device), numbers(cpu));
        });
      }
    });
  },
);
