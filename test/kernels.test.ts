import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import emission from '../shaders/shared/emission.wgsl?raw';
import exponential from '../shaders/shared/exponential.wgsl?raw';
import extended from '../shaders/shared/extended.wgsl?raw';
import fixed from '../shaders/shared/fixed.wgsl?raw';
import four from '../shaders/shared/four.wgsl?raw';
import frameWgsl from '../shaders/shared/frame.wgsl?raw';
import probability from '../shaders/shared/probability.wgsl?raw';
import problemWgsl from '../shaders/shared/problem.wgsl?raw';
import scoresWgsl from '../shaders/shared/scores.wgsl?raw';
import values from '../shaders/shared/values.wgsl?raw';
import { type Constants, type KernelName, moduleOf } from '../src/kernels/kernels.js';
import { texts as readingTexts } from '../src/kernels/reading-texts.js';
import { texts } from '../src/kernels/texts.js';
import { packProblems, problemFields, structOf } from '../src/kernels/uniforms.js';
import { planStep } from '../src/plan/step-plan.js';
import { halfToFloat } from '../src/problem/half.js';
import { placeOf } from '../src/run/gpu/explain.js';
import { sharedDevice } from './device.js';
import { type Batch, makeBatch, seeded } from './reference.js';
import { onDevice, planOf } from './twins.js';

const gpu = await sharedDevice();

describe('emissions are exp(score − unit) to 1e-6, and exactly 1 at the unit', () => {
  const labels = 50;
  // frames with units near and far from zero; distances from the unit down to −5000
  const units = [0, -0.3, -3, 5, 88, -104, 700, -2000, 11000, -20000];
  const random = seeded(7);
  const distances = units.map((_, t) =>
    Array.from({ length: labels }, (_, i) =>
      i < 5 ? [0, 0.1, 0.34657, 87.5, 5000][i]! : 5000 * random() ** (1 + (t % 4)),
    ),
  );
  const batch: Batch = (() => {
    const rows = units.flatMap((unit, t) => [unit - 1, ...distances[t]!.map((d) => unit - d)]);
    const data = Float32Array.from(rows);
    const target = Array.from({ length: labels }, (_, i) => i + 1);
    const frames = units.length;
    const shape = { frames, sequences: 1, classes: labels + 1, blank: 0, targets: [target] };
    return { ...shape, inputLengths: [frames], logits: data, logProbs: data, probs: data };
  })();

  test.each(['logProbs', 'logits'] as const)('%s', async (scores) => {
    const plan = planOf(batch, planStep, { scores });
    // the first command of all is of rows
    const left = (await onDevice(gpu, { ...plan, commands: plan.commands.slice(0, 1) }, batch))[1]!;
    units.forEach((_, t) => {
      const row = batch.logits.subarray(t * (labels + 1), (t + 1) * (labels + 1));
      const unit = Math.max(...row);
      // slots are those of the blank, the labels in the order of their classes, and of what does not exist
      const slot = (c: number) => left.extended('emissions.0', t * (labels + 2) + c);
      const got = Array.from(row, (_, c) => slot(c));
      got.forEach((value, c) => {
        // the difference of logarithms is the relative error
        expect(Math.abs(value - (row[c]! - unit)), `unit ${unit}, score ${row[c]}`).toBeLessThanOrEqual(1e-6);
      });
      expect(got[row.indexOf(unit)]).toBe(0);
      expect(slot(labels + 1)).toBe(-Infinity);
      const [ofFrame, normaliser, lnNormaliser] = left.frame(t) as [number, number, number];
      expect(Math.abs(ofFrame - unit)).toBeLessThanOrEqual(1e-7 * Math.max(1, Math.abs(unit)));
      const rest = row.reduce((sum, x) => sum + Math.exp(x - unit), 0) - 1;
      const wanted = scores === 'logits' ? [1 + rest, Math.log1p(rest)] : [1, 0];
      expect(Math.abs(normaliser / wanted[0]! - 1)).toBeLessThanOrEqual(1e-6);
      expect(Math.abs(lnNormaliser - wanted[1]!)).toBeLessThanOrEqual(1e-6);
    });
  });
});

/** Evaluates a WGSL expression over i for `count` values; four words each, as floats and as integers. */
async function probe(
  expression: string,
  input: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  count: number,
) {
  const code = `const HALF = true; const BRAIN = false; const LOGITS = true; const PROBS = false;
    ${structOf('Problem')}
    ${problemWgsl.replace(/.*@binding\(1\).*/, '')}
    ${extended}${exponential}${values}${frameWgsl}${scoresWgsl}${probability}${emission}${fixed}${four}
    @group(0) @binding(4) var<storage, read_write> out: array<vec4u>;
    fn input(i: u32) -> f32 { return bitcast<f32>(scores[i]); }
    @compute @workgroup_size(64) fn probe(@builtin(global_invocation_id) id: vec3u) {
      let i = id.x;
      if (i < ${count}u) { out[i] = ${expression}; }
    }`;
  const { device } = gpu;
  const [problem] = planOf(
    makeBatch('random', 1, { frames: 1, sequences: 1, classes: 2, labels: 1 }),
    planStep,
    {
      scores: 'logits',
    },
  ).problems;
  const types = ['uniform', 'read-only-storage', 'storage'] as const;
  const layout = device.createBindGroupLayout({
    entries: [0, 3, 4].map((binding, j) => ({ binding, visibility: 4, buffer: { type: types[j]! } })),
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code }) },
  });
  const out = gpu.buffer(16 * count);
  const buffers = [gpu.buffer(packProblems([problem!]), 0x48), gpu.buffer(input), out];
  const entries = buffers.map((buffer, j) => ({ binding: [0, 3, 4][j]!, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(Math.ceil(count / 64));
  pass.end();
  device.queue.submit([encoder.finish()]);
  const floats = await gpu.read(out);
  const integers = new Int32Array(floats.buffer);
  return Array.from({ length: count }, (_, i) => ({
    float: (j: number) => floats[4 * i + j]!,
    integer: (j: number) => integers[4 * i + j]!,
  }));
}

const words = (value: string) => `vec4u(bitcast<u32>((${value}).m), bitcast<u32>((${value}).e), 0, 0)`;
const reduced = (value: string) => `vec4u(bitcast<u32>((${value}).r), bitcast<u32>((${value}).k), 0, 0)`;

describe('the number type, on the device', () => {
  test('a half is read as the float32 that it stands for', async () => {
    const halves = Uint32Array.from({ length: 2 ** 15 }, (_, i) => 2 * i + (2 * i + 1) * 65536);
    const got = await probe('vec4u(scoreBits(i), 0, 0, 0)', halves, 2 ** 16);
    const wrong = got.flatMap((value, bits) => (Object.is(value.float(0), halfToFloat(bits)) ? [] : [bits]));
    expect(wrong).toEqual([]);
  });

  test('ln(1 + d) keeps the digits of a small d and takes a large one', async () => {
    const random = seeded(1);
    const d = Float32Array.from({ length: 4096 }, (_, i) =>
      i < 3 ? [0, 0.41, 1][i]! : 10 ** (30 * random() - 24),
    );
    const got = await probe('vec4u(bitcast<u32>(ln1p(input(i))), 0, 0, 0)', d, d.length);
    expect(got[0]!.float(0)).toBe(0);
    got.forEach((value, i) => {
      expect(Math.abs(value.float(0) - Math.log1p(d[i]!)), `d = ${d[i]}`).toBeLessThanOrEqual(
        3e-7 * Math.log1p(d[i]!),
      );
    });
  });

  test('ln of a mantissa is within an ulp of 1, and 0 at 1', async () => {
    const m = Float32Array.from({ length: 4096 }, (_, i) => 1 + i / 4096);
    const got = await probe(reduced('lnMantissa(input(i))'), m, m.length);
    expect([got[0]!.float(0), got[0]!.integer(1)]).toEqual([0, 0]);
    got.forEach((value, i) => {
      const error = value.integer(1) * Math.LN2 + value.float(0) - Math.log(m[i]!);
      expect(Math.abs(error), `m = ${m[i]}`).toBeLessThanOrEqual(1.2e-7);
    });
  });

  test('ln of a probability, of any magnitude and near 1, is right to three ulps; of what is none it is not a number', async () => {
    const random = seeded(4);
    const special = [
      0,
      -0,
      1,
      2,
      2 ** -126,
      2 ** -149,
      1.5 * 2 ** -140,
      1 - 2 ** -24,
      1 + 2 ** -23,
      3.4028234663852886e38,
    ];
    const none = [-1, -1e-45, Number.NEGATIVE_INFINITY, Number.NaN, Number.POSITIVE_INFINITY];
    const p = Float32Array.from({ length: 4096 }, (_, i) => {
      const one = [...special, ...none][i];
      if (one !== undefined) return one;
      return i % 2 ? 1 - 10 ** (-7 * random()) : 10 ** (46 * random() - 45);
    });
    const got = await probe('vec4u(lnBits(bitcast<u32>(input(i))), 0, 0, 0)', p, p.length);
    got.forEach((value, i) => {
      const expected = Math.log(p[i]!);
      if (!Number.isFinite(expected)) expect(value.float(0), `p = ${p[i]}`).toBe(expected);
      else
        expect(Math.abs(value.float(0) - expected), `p = ${p[i]}`).toBeLessThanOrEqual(
          3.6e-7 * Math.abs(expected),
        );
    });
  });

  test('sums in fixed point are exact, below and above zero', async () => {
    const random = seeded(3);
    // from 2^−6 on, every float32 below 1 is a whole number of units
    const v = Float32Array.from(
      { length: 2048 },
      () => (random() < 0.5 ? -1 : 1) * (1 / 64 + 0.98 * random()),
    );
    const sum =
      'fixedSum(fixedSum(toFixed(input(2u * i)), toFixed(input(2u * i + 1u))), Fixed(-1, 0xfffffff0u))';
    const got = await probe(`vec4u(bitcast<u32>(${sum}.high), ${sum}.low, 0, 0)`, v, v.length / 2);
    const units = got.map((value) => value.integer(0) * 2 ** 32 + (value.integer(1) >>> 0));
    expect(units).toEqual(got.map((_, i) => (v[2 * i]! + v[2 * i + 1]!) * 2 ** 30 - 16));
  });

  test('a zero has mantissa 0 and the lowest exponent, wherever it comes from', async () => {
    const lowest = -(2 ** 29);
    const first = (four: string) => `Extended(${four}.m.x, ${four}.e.x)`;
    const zeros = 'Four(vec4f(input(0)), vec4i(ZERO))';
    const ones = 'Four(vec4f(1.0), vec4i(7))';
    for (const zero of [
      'normalised(input(0), 1000)',
      'product(Extended(1.5, 5), NOTHING)',
      'product(Extended(0.0, 99), Extended(1.0, 99))',
      'product(Extended(1.5, 99), emission(MINUS_INFINITY, Frame(), 1000))',
      'sum3(NOTHING, NOTHING, NOTHING)',
      first(`join(${zeros}, ${zeros}).total`),
      first(`times(${ones}, Four(vec4f(NO_EMISSION.m), vec4i(NO_EMISSION.e)))`),
      first('settled(Four(vec4f(input(0)), vec4i(1000)))'),
    ]) {
      const [value] = await probe(words(zero), Float32Array.of(0), 1);
      expect([value!.float(0), value!.integer(1)], zero).toEqual([0, lowest]);
    }
    // below zero's exponent: times any state it has zero's, and not a little more
    const [none] = await probe(words('emission(MINUS_INFINITY, Frame(), 1000)'), Float32Array.of(0), 1);
    expect([none!.float(0), none!.integer(1)]).toEqual([0, 2 * lowest]);
    const [sunk] = await probe(
      words('product(Extended(1.0, ZERO + 5), Extended(1.0, -99))'),
      Float32Array.of(0),
      1,
    );
    expect(sunk!.integer(1)).toBe(lowest);
  });

  test('products and sums of three are right to an ulp or two, at any exponent', async () => {
    const random = seeded(2);
    const count = 2048;
    // mantissas and exponents of three terms: from far apart to equal, all around a large common one
    const terms = Float32Array.from({ length: 6 * count }, (_, i) =>
      i % 2 === 0 ? 1 + random() : Math.round((random() - 0.5) * [4, 60, 400][Math.floor(i / 6) % 3]!) - 1e5,
    );
    const term = (j: number) => `Extended(input(6u * i + ${2 * j}u), i32(input(6u * i + ${2 * j + 1}u)))`;
    const sums = await probe(words(`sum3(${term(0)}, ${term(1)}, ${term(2)})`), terms, count);
    const products = await probe(words(`product(${term(0)}, ${term(1)})`), terms, count);
    const exact = (m: number, e: number, from: number) => m * 2 ** (e - from);
    for (let i = 0; i < count; i++) {
      const [a, ae, b, be, c, ce] = terms.subarray(6 * i, 6 * i + 6) as unknown as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const top = Math.max(ae, be, ce);
      const sum = exact(a, ae, top) + exact(b, be, top) + exact(c, ce, top);
      expect(Math.abs(exact(sums[i]!.float(0), sums[i]!.integer(1), top) / sum - 1)).toBeLessThanOrEqual(
        2 ** -21.9,
      );
      expect(
        Math.abs(exact(products[i]!.float(0), products[i]!.integer(1), ae + be) / (a * b) - 1),
      ).toBeLessThanOrEqual(2 ** -22.9);
    }
  });
});

describe('four numbers at once, on the device', () => {
  const random = seeded(4);
  const count = 2048;
  // mantissas as they are between two settlements; exponents from equal to far apart
  const terms = Float32Array.from({ length: 4 * count }, (_, i) =>
    i % 2 === 0
      ? 2 ** (40 * random() - 20)
      : Math.round((random() - 0.5) * [4, 60, 400][Math.floor(i / 4) % 3]!) - 1e5,
  );
  const term = (j: number) =>
    `Four(vec4f(input(4u * i + ${2 * j}u)), vec4i(i32(input(4u * i + ${2 * j + 1}u))))`;
  const last = (value: string) => `vec4u(bitcast<u32>(${value}.m.w), bitcast<u32>(${value}.e.w), 0, 0)`;
  const exact = (i: number, from: number) =>
    [0, 2].map((j) => terms[4 * i + j]! * 2 ** (terms[4 * i + j + 1]! - from)) as [number, number];

  test('sums are right to an ulp or two, and so is the share of the first', async () => {
    const sums = await probe(last(`join(${term(0)}, ${term(1)}).total`), terms, count);
    const shares = await probe(
      `vec4u(bitcast<u32>(join(${term(0)}, ${term(1)}).share.w), 0, 0, 0)`,
      terms,
      count,
    );
    for (let i = 0; i < count; i++) {
      const top = Math.max(terms[4 * i + 1]!, terms[4 * i + 3]!);
      const [a, b] = exact(i, top);
      const sum = sums[i]!.float(0) * 2 ** (sums[i]!.integer(1) - top);
      // what lies 2^126 below the other counts as nothing
      expect(Math.abs(sum / (a + b) - 1)).toBeLessThanOrEqual(2 ** -21.9);
      expect(Math.abs(shares[i]!.float(0) - a / (a + b))).toBeLessThanOrEqual(2 ** -21.9);
    }
  });

  test('the share of nothing in nothing is 0', async () => {
    const zeros = 'Four(vec4f(input(0)), vec4i(ZERO))';
    const [share] = await probe(
      `vec4u(bitcast<u32>(join(${zeros}, ${zeros}).share.x), 0, 0, 0)`,
      Float32Array.of(0),
      1,
    );
    expect(share!.float(0)).toBe(0);
  });

  test('settled, a mantissa is in [1, 2) and the value the same', async () => {
    const settled = await probe(last(`settled(${term(0)})`), terms, count);
    settled.forEach((value, i) => {
      expect(value.float(0)).toBeGreaterThanOrEqual(1);
      expect(value.float(0)).toBeLessThan(2);
      expect(value.float(0) * 2 ** (value.integer(1) - terms[4 * i + 1]!)).toBe(terms[4 * i]);
    });
  });
});

describe('what is said twice agrees', () => {
  test('the fields of a problem, and those that a plan says', () => {
    const size = { frames: 2, sequences: 1, classes: 2, labels: 1 };
    const [problem] = planOf(makeBatch('random', 1, size), planStep, { scores: 'logits' }).problems;
    expect(problemFields.length).toBeGreaterThan(20);
    expect(Object.keys(problem!).toSorted()).toEqual([...problemFields].toSorted());
  });

  test('what a page loads to read is what reading is made of, and no more', () => {
    const used = new Set(['greedy']);
    for (const ALONE of [true, false])
      for (const SUBGROUPS of [true, false]) {
        const { code, files } = moduleOf('greedy', { ALONE, SUBGROUPS, MIDDLE: false }, readingTexts);
        expect(code).toBe(moduleOf('greedy', { ALONE, SUBGROUPS, MIDDLE: false }, texts).code);
        for (const [path] of files) used.add(/(\w+)(?:\.wgsl)?$/.exec(path)![1]!);
      }
    used.delete('constants');
    expect(Object.keys(readingTexts).toSorted()).toEqual([...used].toSorted());
  });

  test('a line of a module and the line of the file that it comes from', async () => {
    const rows: Constants = {
      WORKGROUP: 64,
      LOGITS: true,
      PROBS: false,
      ALONE: false,
      HALF: false,
      BRAIN: false,
      SOFTMAX: true,
      SEVERAL: true,
    };
    const sweeps: Constants = { ...rows, MIDDLE: true, SUBGROUPS: true, LANES: 8, STORE: true };
    const step: KernelName[] = ['rows', 'alpha', 'loss', 'beta', 'gradient', 'posterior', 'scales', 'reduce'];
    const fused: KernelName[] = ['rows', 'sweep', 'loss', 'spread', 'gradient', 'reduce'];
    const built = async (kernel: KernelName, constants: Constants) => moduleOf(kernel, constants, texts);
    const modules = [
      ...step.map((kernel) => built(kernel, { ...rows, MIDDLE: false })),
      ...fused.map((kernel) => built(kernel, sweeps)),
    ];
    const bare = (line: string) => line.replace(/\/\/.*|\s/g, '');
    for (const { code, files } of await Promise.all(modules)) {
      const ofConstants = files[0]![1].split('\n').length - 1;
      const lines = code.split('\n').slice(0, -1);
      lines.forEach((line, i) => {
        const [file, number] = placeOf(files, i + 1).split(':');
        if (i < ofConstants) expect(`${file}:${number}`).toBe(`constants:${i + 1}`);
        else {
          const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
          expect(bare(line)).toBe(bare(text.split('\n')[Number(number) - 1]!));
        }
      });
    }
  });
});
