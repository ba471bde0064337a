import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import access from '../shaders/access.wgsl?raw';
import emission from '../shaders/shared/emission.wgsl?raw';
import exponential from '../shaders/shared/exponential.wgsl?raw';
import extended from '../shaders/shared/extended.wgsl?raw';
import fixed from '../shaders/shared/fixed.wgsl?raw';
import problemWgsl from '../shaders/shared/problem.wgsl?raw';
import values from '../shaders/shared/values.wgsl?raw';
import { type CpuBuffer, FRAME, TOTAL } from '../src/cpu/buffers.js';
import { type Extended, ln } from '../src/cpu/extended.js';
import { CpuRunner } from '../src/cpu/runner.js';
import { placeOf } from '../src/gpu/explain.js';
import { Memory } from '../src/gpu/memory.js';
import { pipelineFor } from '../src/gpu/pipelines.js';
import { Scheduler } from '../src/gpu/scheduler.js';
import { halfToFloat } from '../src/half.js';
import { type Constants, type KernelName, moduleOf } from '../src/kernels/kernels.js';
import { type BufferPlan, elementBytes, type Plan, type ProblemShape, tuningFor } from '../src/plan.js';
import { packProblems, problemFields } from '../src/problem.js';
import { planStep } from '../src/step.js';
import { packRecords } from '../src/targets.js';
import { openDevice, type TestDevice } from './device.js';
import { type Batch, makeBatch, seeded } from './reference.js';

let gpu: TestDevice;
beforeAll(async () => {
  gpu = await openDevice();
});

const limits = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeWorkgroupsPerDimension: 65535,
};

function planOf(
  batch: Batch,
  scores: 'logits' | 'logProbs',
  keep: ProblemShape['keep'] = [],
  tuning = {},
): Plan {
  const { frames, sequences, classes, blank, targets } = batch;
  const maxTargetLength = Math.max(...targets.map((row) => row.length));
  const task = { frames, sequences, classes, blank, maxTargetLength, scores, keep } as const;
  const rest = { layout: 'TNC', dtype: 'float32', reduction: 'mean', zeroInfinity: false } as const;
  return planStep({ ...task, ...rest, gradient: 'logits' }, limits, {
    ...tuningFor({ software: false }),
    workgroupSize: 8,
    ...tuning,
  });
}

/** A plan up to and with the last command of a kernel. */
function until(plan: Plan, kernel: KernelName): Plan {
  const last = plan.commands.findLastIndex((c) => c.type === 'dispatch' && c.kernel === kernel);
  return { ...plan, commands: plan.commands.slice(0, last + 1) };
}

/** Numbers of a buffer of the plan; extended ones as logarithms. */
type Read = (name: string) => Promise<number[][]>;

async function onDevice(plan: Plan, batch: Batch): Promise<Read> {
  const { device } = gpu;
  const pipelines = await Promise.all(
    plan.commands.map((c) => c.type === 'dispatch' && pipelineFor(device, c.kernel, c.constants)),
  );
  const memory = await Memory.create(device, plan);
  device.queue.writeBuffer(memory.buffer('targets'), 0, recordsOf(plan, batch));
  device.queue.writeBuffer(
    memory.buffer('gradOutput'),
    0,
    new Float32Array(plan.buffers.gradOutput!.count).fill(1),
  );
  const own = (name: string) => ({ buffers: [memory.buffer(name)], offset: 0, rowsPerBuffer: 1 });
  const scores = await memory.tensor('scores');
  const grad = await memory.tensor('grad');
  device.queue.writeBuffer(scores.buffers[0]!, 0, batch[plan.task.scores]);
  const tensors = { scores, grad, losses: own('losses'), gradOutput: own('gradOutput') };
  await new Scheduler(device, plan, memory, pipelines).run(tensors, {});
  return async (name) => {
    const floats = await gpu.read(name === 'grad' ? grad.buffers[0]! : memory.buffer(name));
    const integers = new Int32Array(floats.buffer);
    const extendedAt = (i: number) => Math.log(floats[i]!) + integers[i + 1]! * Math.LN2;
    const fixedAt = (i: number) => (integers[i]! * 2 ** 32 + (integers[i + 1]! >>> 0)) / 2 ** 30;
    const reducedAt = (i: number) => integers[i]! * Math.LN2 + floats[i + 1]!;
    const fields: Record<BufferPlan['element'], (i: number) => number[]> = {
      word: (i) => [floats[i]!],
      extended: (i) => [extendedAt(2 * i)],
      pair: (i) => [extendedAt(4 * i), extendedAt(4 * i + 2)],
      scale: (i) => [reducedAt(2 * i)],
      frame: (i) => [
        extendedAt(8 * i),
        reducedAt(8 * i + 2),
        floats[8 * i + 4]!,
        floats[8 * i + 5]!,
        integers[8 * i + 6]!,
      ],
      total: (i) => {
        const at = (elementBytes.total / 4) * i;
        const scale = integers[at + 2]! * Math.LN2 + fixedAt(at + 3) + floats[at + 5]!;
        return [extendedAt(at), scale, integers[at + 6]!, floats[at + 7]!, floats[at + 8]!];
      },
    };
    const { element, count } = plan.buffers[name] ?? { element: 'word', count: floats.length };
    return Array.from({ length: count }, (_, i) => fields[element](i));
  };
}

async function onCpu(plan: Plan, batch: Batch): Promise<Read> {
  const runner = new CpuRunner(plan, { device: 'cpu', adapter: '', strategy: 'step', reason: '' });
  runner.setRecords(recordsOf(plan, batch));
  const { losses, grad } = await runner.run({ scores: batch[plan.task.scores] }, {});
  return async (name) => {
    if (name === 'grad') return Array.from(grad!, (x) => [x]);
    if (name === 'losses') return Array.from(losses, (x) => [x]);
    const { element, count } = plan.buffers[name]!;
    const buffer: CpuBuffer = runner.buffer(name);
    const { m, e } = buffer as Extended;
    const words = buffer as Float64Array;
    const lnAt = (i: number) => ln(m[i]!, e[i]!);
    const of = (i: number, ...places: number[]) => places.map((place) => words[8 * i + place]!);
    const frame = (i: number) => {
      const [blankM, blankE] = of(i, FRAME.blankM, FRAME.blankE) as [number, number];
      return [ln(blankM, blankE), ...of(i, FRAME.unit, FRAME.normaliser, FRAME.lnNormaliser, FRAME.invalid)];
    };
    const total = (i: number) => {
      const [zm, ze] = of(i, TOTAL.zm, TOTAL.ze) as [number, number];
      return [ln(zm, ze), ...of(i, TOTAL.scale, TOTAL.status, TOTAL.loss, TOTAL.weight)];
    };
    const fields: Record<BufferPlan['element'], (i: number) => number[]> = {
      word: (i) => [words[i]!],
      extended: (i) => [lnAt(i)],
      pair: (i) => [lnAt(2 * i), lnAt(2 * i + 1)],
      scale: (i) => [words[i]!],
      frame,
      total,
    };
    return Array.from({ length: count }, (_, i) => fields[element](i));
  };
}

function recordsOf({ task }: Plan, { targets, inputLengths }: Batch) {
  const labels = targets.map((row) => Uint32Array.from(row));
  const batch = { inputLengths, targetLengths: targets.map((row) => row.length), labels };
  return packRecords(batch, task.maxTargetLength, task.classes);
}

/** A lattice of posteriors, each row of pairs made to sum to 1: until then its scale is free. */
function normalised(pairs: number[][], perRow: number): number[][] {
  return Array.from({ length: pairs.length / perRow }, (_, row) => {
    const shares = pairs
      .slice(row * perRow, (row + 1) * perRow)
      .flat()
      .map(Math.exp);
    const sum = shares.reduce((a, b) => a + b, 0);
    return shares.map((share) => (sum === 0 ? 0 : share / sum));
  });
}

function expectNear(got: number[][], expected: number[][]) {
  expect(got.length).toBe(expected.length);
  got.flat().forEach((x, i) => {
    const wanted = expected.flat()[i]!;
    const near =
      Object.is(x, wanted) || Math.abs(x - wanted) <= 2e-6 + 1e-6 * Math.abs(wanted) || x === wanted;
    if (!near) expect.fail(`[${i}]: expected ${wanted}, got ${x}`);
  });
}

describe.each([
  ['logProbs', 'alone', 512],
  ['logProbs', 'together', 0],
  ['logits', 'alone', 512],
  ['logits', 'together', 0],
] as const)('each kernel does what its twin does: %s, lanes %s on a row', (scores, _, sharedRow) => {
  const batch = makeBatch('random', 1, { frames: 14, sequences: 6, classes: 9, labels: 5, ragged: true });
  const plan = planOf(batch, scores, ['alpha', 'beta', 'posterior'], { sharedRow, rowWorkgroupSize: 4 });
  const writes: [KernelName, string[]][] = [
    ['rows', ['frames', 'emissions.0']],
    ['alpha', ['lattice.0.0', 'ends']],
    ['loss', ['totals']],
    ['scales', ['scales.0']],
    ['beta', ['betas.0.0', 'lattice.0.0', 'alpha.0.0']],
    ['gradient', ['grad']],
    ['posterior', ['lattice.0.0']],
    ['reduce', ['losses']],
  ];
  test.each(writes)('%s writes %s', async (kernel, names) => {
    const [device, cpu] = [
      await onDevice(until(plan, kernel), batch),
      await onCpu(until(plan, kernel), batch),
    ];
    for (const name of names) {
      const shape = (pairs: number[][]) =>
        kernel !== 'alpha' && name.startsWith('lattice')
          ? normalised(pairs, plan.task.maxTargetLength + 1)
          : pairs;
      expectNear(shape(await device(name)), shape(await cpu(name)));
    }
  });
});

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
    return { ...shape, inputLengths: [frames], logits: data, logProbs: data };
  })();

  test.each(['logProbs', 'logits'] as const)('%s', async (scores) => {
    const read = await onDevice(until(planOf(batch, scores), 'rows'), batch);
    const emissions = (await read('emissions.0')).flat();
    const frames = await read('frames');
    units.forEach((_, t) => {
      const row = batch.logits.subarray(t * (labels + 1), (t + 1) * (labels + 1));
      const unit = Math.max(...row);
      const got = [frames[t]![0]!, ...emissions.slice(t * labels, (t + 1) * labels)];
      got.forEach((value, c) => {
        // the difference of logarithms is the relative error
        expect(Math.abs(value - (row[c]! - unit)), `unit ${unit}, score ${row[c]}`).toBeLessThanOrEqual(1e-6);
      });
      expect(got[row.indexOf(unit)]).toBe(0);
      expect(Math.abs(frames[t]![1]! - unit)).toBeLessThanOrEqual(1e-7 * Math.max(1, Math.abs(unit)));
      const rest = row.reduce((sum, x) => sum + Math.exp(x - unit), 0) - 1;
      const [normaliser, lnNormaliser] = scores === 'logits' ? [1 + rest, Math.log1p(rest)] : [1, 0];
      expect(Math.abs(frames[t]![2]! / normaliser! - 1)).toBeLessThanOrEqual(1e-6);
      expect(Math.abs(frames[t]![3]! - lnNormaliser!)).toBeLessThanOrEqual(1e-6);
    });
  });
});

/** Evaluates a WGSL expression over i for `count` values; four words each, as floats and as integers. */
async function probe(
  expression: string,
  input: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  count: number,
) {
  const code = `const HALF = true;
    ${problemWgsl.replace(/.*@binding\(1\).*/, '')}
    ${extended}${exponential}${values}${emission}${fixed}
    @group(0) @binding(4) var<storage, read_write> out: array<vec4u>;
    fn input(i: u32) -> f32 { return bitcast<f32>(scores[i]); }
    @compute @workgroup_size(64) fn probe(@builtin(global_invocation_id) id: vec3u) {
      let i = id.x;
      if (i < ${count}u) { out[i] = ${expression}; }
    }`;
  const { device } = gpu;
  const [problem] = planOf(
    makeBatch('random', 1, { frames: 1, sequences: 1, classes: 2, labels: 1 }),
    'logits',
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
    for (const zero of [
      'normalised(input(0), 1000)',
      'product(Extended(1.5, 5), NOTHING)',
      'product(Extended(0.0, 99), Extended(1.0, 99))',
      'sum3(NOTHING, NOTHING, NOTHING)',
      'emission(MINUS_INFINITY, Reduced(0, 0.0), 1000)',
    ]) {
      const [value] = await probe(words(zero), Float32Array.of(0), 1);
      expect([value!.float(0), value!.integer(1)], zero).toEqual([0, lowest]);
    }
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

describe('what is said twice agrees', () => {
  const fieldsOf = (wgsl: string, struct: string) => {
    const body = new RegExp(`struct ${struct}\\s*\\{([^}]*)\\}`).exec(wgsl)![1]!;
    return [...body.matchAll(/(\w+):\s*([iu]32)/g)].map(([, name, type]) => `${name}: ${type}`);
  };

  test('the fields of a problem in src/problem.ts, problem.wgsl and access.wgsl', () => {
    const fields = fieldsOf(problemWgsl, 'Problem');
    expect(fields.length).toBeGreaterThan(20);
    expect(fieldsOf(access, 'CtcProblem')).toEqual(fields);
    expect([...problemFields]).toEqual(fields.map((field) => field.split(':')[0]));
    const [problem] = planOf(
      makeBatch('random', 1, { frames: 2, sequences: 1, classes: 2, labels: 1 }),
      'logits',
    ).problems;
    expect(Object.keys(problem!).toSorted()).toEqual([...problemFields].toSorted());
  });

  test('a line of a module and the line of the file that it comes from', async () => {
    const constants: Constants = { WORKGROUP: 64, LOGITS: true, ALONE: false, HALF: false, SOFTMAX: true };
    const kernels: KernelName[] = [
      'rows',
      'alpha',
      'loss',
      'beta',
      'gradient',
      'posterior',
      'scales',
      'reduce',
    ];
    const bare = (line: string) => line.replace(/\/\/.*|\s/g, '');
    for (const kernel of kernels) {
      const { code, files } = await moduleOf(kernel, constants);
      const lines = code.split('\n').slice(0, -1);
      lines.forEach((line, i) => {
        const [file, number] = placeOf(files, i + 1).split(':');
        if (i < Object.keys(constants).length) expect(`${file}:${number}`).toBe(`constants:${i + 1}`);
        else {
          const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
          expect(bare(line)).toBe(bare(text.split('\n')[Number(number) - 1]!));
        }
      });
    }
  });
});
