import { describe, expect, test } from 'vitest';
import { CtcLoss } from 'webgpu-ctc/node';
import type { CtcTask } from '../src/api/ctc-loss.js';
import { type Forced, forced } from '../src/api/forced.js';
import type { Kept } from '../src/problem/types.js';
import { sharedDevice } from './device.js';
import { type Batch, lattice, sequenceOf } from './reference.js';

const gpu = await sharedDevice();
const { device } = gpu;
const keep = ['alpha', 'beta', 'posterior'] as const;

/** A ragged batch with a repeat, a tight alignment, an empty target, no frames at all, and one that is infeasible. */
const [T, N, C, S] = [9, 6, 5, 3];
const L = 2 * S + 1;
const targets = [[1, 1, 2], [4, 2, 3], [], [3], [2, 2, 2], [1, 2]];
const inputLengths = [9, 3, 7, 0, 4, 8];
const shape = [T, N, C] as const;
const logits = Float32Array.from({ length: T * N * C }, (_, i) => 3 * Math.sin(i * i + 2 * i));
const logProbs = Float32Array.from(logits, (_, i) => {
  const row = logits.subarray(i - (i % C), i - (i % C) + C);
  return logits[i]! - Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
});
const batch: Batch = {
  frames: T,
  sequences: N,
  classes: C,
  blank: 0,
  targets,
  inputLengths,
  logits,
  logProbs,
  probs: logProbs.map(Math.exp),
};

/** [N, T, L], as `read` gives it, from the definition. */
const expected = Object.fromEntries(
  keep.map((kept) => [kept, new Float64Array(N * T * L).fill(kept === 'posterior' ? 0 : -Infinity)]),
) as Record<Kept, Float64Array>;
for (let n = 0; n < N; n++) {
  const { alpha, beta, logZ } = lattice(sequenceOf(batch, n, 'logProbs'));
  const states = 2 * targets[n]!.length + 1;
  for (let t = 0; t < inputLengths[n]!; t++) {
    const last = Math.min(states, 2 * t + 2);
    for (let s = Math.max(0, states - 2 * (inputLengths[n]! - t)); s < last; s++) {
      const i = (n * T + t) * L + s;
      expected.alpha[i] = alpha[t]![s]!;
      expected.beta[i] = beta[t]![s]!;
      expected.posterior[i] = logZ === -Infinity ? Number.NaN : Math.exp(alpha[t]![s]! + beta[t]![s]! - logZ);
    }
  }
}

function expectLattice(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    const [n, t, s] = [Math.floor(i / L / T), Math.floor(i / L) % T, i % L];
    const same = Object.is(got[i], want[i]) || Math.abs(got[i]! - want[i]!) <= 1e-5;
    if (!same)
      expect.fail(`${what} of sequence ${n}, frame ${t}, state ${s}: ${got[i]}, expected ${want[i]}`);
  }
}

/** Sizes that split the batch in parts and these in slices of some frames; and none that do. */
const sizes: Record<string, Forced> = {
  'in one block': {},
  'in parts': { limits: { maxStorageBufferBindingSize: 1300 } },
  'in parts and slices': { limits: { maxStorageBufferBindingSize: 384 }, tuning: { workgroupSize: 4 } },
};

async function ran(
  kind: 'gpu' | 'cpu',
  size: Forced,
  scores: 'logits' | 'logProbs',
  which: readonly Kept[] = keep,
) {
  const ctc = await CtcLoss.create({ device: kind === 'gpu' ? device : 'cpu' });
  expect(ctc.backend.device).toBe(kind);
  forced.set(ctc, size);
  const room = { maxTargetLength: S, keep: which };
  const task = await ctc.prepare(
    scores === 'logits' ? { logits: shape, ...room } : { logProbs: shape, ...room },
  );
  task.setTargets(targets, { inputLengths });
  await task.run(scores === 'logits' ? { logits } : { logProbs });
  return task;
}

describe.each(Object.entries(sizes))('%s', (name, size) => {
  test.each([
    ['gpu', 'logProbs'],
    ['gpu', 'logits'],
    ['cpu', 'logProbs'],
    ['cpu', 'logits'],
  ] as const)('alpha, beta and posterior are those of the definition: %s, %s', async (kind, scores) => {
    const task = await ran(kind, size, scores);
    for (const kept of keep) expectLattice(await task.read(kept), expected[kept], kept);
    if (kind === 'gpu') expect(task.lattice.blocks.length > 1).toBe(name !== 'in one block');
    task.destroy();
  });

  test.each<{ which: Kept[] }>([
    { which: ['alpha'] },
    { which: ['beta'] },
    { which: ['posterior'] },
    { which: ['beta', 'alpha'] },
  ])('$which alone', async ({ which }) => {
    const task = await ran('gpu', size, 'logits', which);
    for (const kept of which) expectLattice(await task.read(kept), expected[kept], kept);
    for (const kept of keep.filter((it) => !which.includes(it))) {
      await expect(task.read(kept)).rejects.toThrow(`read: '${kept}' was not kept; prepare with keep: [`);
    }
    task.destroy();
  });

  test("a shader of the caller's reads what the host reads", async () => {
    const task = await ran('gpu', size, 'logProbs');
    const read = await readByShader(task);
    for (const [j, kept] of keep.entries()) {
      const values = read.filter((_, i) => i % 6 === j);
      const finite = Float64Array.from(values, (value) => (value < -3e38 ? -Infinity : value));
      expectLattice(finite, expected[kept], `${kept} by a shader`);
    }
    for (let i = 0; i < N * T * L; i++) {
      const [n, s] = [Math.floor(i / L / T), i % L];
      const class_ = s % 2 ? (targets[n]![(s - 1) / 2] ?? 0) : 0;
      expect([...read.subarray(6 * i + 3, 6 * i + 6)]).toEqual([class_, inputLengths[n], targets[n]!.length]);
    }
    task.destroy();
  });
});

/** alphaLog, betaLog, posterior, ctcClass and the lengths for all (n, t, s), a dispatch for each block. */
async function readByShader({ lattice }: CtcTask): Promise<Float32Array> {
  const code = `${lattice.wgsl(1)}
    @group(0) @binding(0) var<storage, read_write> values: array<f32>;
    override firstSequence: u32;
    override firstFrame: u32;
    @compute @workgroup_size(${L})
    fn main(@builtin(local_invocation_index) s: u32, @builtin(workgroup_id) group: vec3u) {
      let n = firstSequence + group.x;
      let t = firstFrame + group.y;
      let i = 6u * ((n * ${T}u + t) * ${L}u + s);
      values[i] = alphaLog(n, t, s);
      values[i + 1u] = betaLog(n, t, s);
      values[i + 2u] = posterior(n, t, s);
      values[i + 3u] = f32(ctcClass(n, s));
      values[i + 4u] = f32(ctcInputLength(n));
      values[i + 5u] = f32(ctcTargetLength(n));
    }`;
  const module = device.createShaderModule({ code });
  const values = gpu.buffer(new Float32Array(6 * N * T * L).fill(99));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { sequences, frames, entries } of lattice.blocks) {
    const [firstSequence, endSequence] = sequences;
    const [firstFrame, endFrame] = frames;
    const compute = { module, constants: { firstSequence, firstFrame } };
    const pipeline = device.createComputePipeline({ layout: 'auto', compute });
    const own = [{ binding: 0, resource: { buffer: values } }];
    pass.setPipeline(pipeline);
    for (const [group, bound] of [own, entries].entries()) {
      const layout = pipeline.getBindGroupLayout(group);
      pass.setBindGroup(group, device.createBindGroup({ layout, entries: bound }));
    }
    pass.dispatchWorkgroups(endSequence - firstSequence, endFrame - firstFrame);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
  return gpu.read(values);
}

test.each(['gpu', 'cpu'] as const)(
  'posteriors sum to 1 in every used frame, alpha · beta to Z: %s',
  async (kind) => {
    const task = await ran(kind, {}, 'logits');
    const [alpha, beta, posterior] = await Promise.all(keep.map((kept) => task.read(kept)));
    for (let n = 0; n < N; n++) {
      const { logZ } = lattice(sequenceOf(batch, n, 'logits'));
      for (let t = 0; t < inputLengths[n]!; t++) {
        let [total, mass] = [0, 0];
        for (let i = (n * T + t) * L; i < (n * T + t + 1) * L; i++) {
          total += Math.exp(alpha![i]! + beta![i]!);
          mass += posterior![i]!;
        }
        if (logZ === -Infinity) expect([total, mass]).toEqual([0, Number.NaN]);
        else expect([Math.log(total), mass]).toEqual([expect.closeTo(logZ, 5), expect.closeTo(1, 6)]);
      }
    }
    task.destroy();
  },
);

test('encode leaves the same lattice as run', async () => {
  const task = await ran('gpu', {}, 'logProbs');
  const expectedAlpha = await task.read('alpha');
  await task.run({ logProbs: logProbs.map((x) => 2 * x) });
  expect(await task.read('alpha')).not.toEqual(expectedAlpha);
  const encoder = device.createCommandEncoder();
  task.encode(encoder, { logProbs: gpu.buffer(logProbs), grad: gpu.buffer(logProbs.byteLength) });
  device.queue.submit([encoder.finish()]);
  expect(await task.read('alpha')).toEqual(expectedAlpha);
  task.destroy();
});

test('without a gradient, alpha alone is computed', async () => {
  const ctc = await CtcLoss.create({ device, gradient: 'none' });
  const task = await ctc.prepare({ logits: shape, maxTargetLength: S, keep: ['alpha'] });
  task.setTargets(targets, { inputLengths });
  expect(await task.run({ logits })).not.toHaveProperty('grad');
  expectLattice(await task.read('alpha'), expected.alpha, 'alpha');
  ctc.destroy();
});

test('an unbatched sequence has a lattice of one sequence', async () => {
  const ctc = await CtcLoss.create({ device });
  const task = await ctc.prepare({ logProbs: [1, 3], maxTargetLength: 1, keep });
  task.setTargets([2]);
  await task.run({ logProbs: Float32Array.from([0.5, 0.25, 0.25], Math.log) });
  const [before, alpha, after] = await task.read('alpha');
  expect([before, alpha, after]).toEqual([-Infinity, expect.closeTo(Math.log(0.25), 6), -Infinity]);
  expect(await task.read('beta')).toEqual(Float64Array.of(-Infinity, 0, -Infinity));
  expect(await task.read('posterior')).toEqual(Float64Array.of(0, 1, 0));
  ctc.destroy();
});

test.each([
  ['gpu', 'logits', Number.NaN],
  ['gpu', 'logits', Number.POSITIVE_INFINITY],
  ['gpu', 'logProbs', Number.NaN],
  ['cpu', 'logits', Number.NaN],
  ['cpu', 'logProbs', Number.NaN],
] as const)(
  '%s: no path of %s goes through a frame with %d, and no number comes out of it',
  async (kind, scores, bad) => {
    const ctc = await CtcLoss.create({ device: kind === 'gpu' ? device : 'cpu', reduction: 'none' });
    const task = await ctc.prepare({ [scores]: shape, maxTargetLength: S, keep } as never);
    task.setTargets(targets, { inputLengths });
    const data = (scores === 'logits' ? logits : logProbs).slice();
    data[(4 * N + 0) * C + 1] = bad;
    await task.run({ [scores]: data } as never);
    const [alpha, beta] = [await task.read('alpha'), await task.read('beta')];
    const none = new Float64Array(T * L).fill(-Infinity);
    // alpha sees the frames up to its own, beta those after it
    expectLattice(alpha.subarray(0, 4 * L), expected.alpha.subarray(0, 4 * L), 'alpha');
    expect(alpha.subarray(4 * L, T * L)).toEqual(none.subarray(4 * L));
    expect(beta.subarray(0, 4 * L)).toEqual(none.subarray(0, 4 * L));
    expectLattice(beta.subarray(4 * L, T * L), expected.beta.subarray(4 * L, T * L), 'beta');
    expectLattice(alpha.subarray(T * L), expected.alpha.subarray(T * L), 'alpha of the others');
    ctc.destroy();
  },
);

describe.each(['gpu', 'cpu'] as const)('what is read belongs to the last run: %s', (kind) => {
  test('targets set after it change nothing', async () => {
    const task = await ran(kind, {}, 'logits');
    task.setTargets([[1], [2], [3], [4], [1], [2]]);
    for (const kept of keep) expectLattice(await task.read(kept), expected[kept], kept);
    task.destroy();
  });

  test('before a run there is nothing to read', async () => {
    const ctc = await CtcLoss.create({ device: kind === 'gpu' ? device : 'cpu' });
    const task = await ctc.prepare({ logits: shape, maxTargetLength: S, keep });
    task.setTargets(targets, { inputLengths });
    await expect(task.read('alpha')).rejects.toThrow(/^read: .*run/);
    ctc.destroy();
  });
});
