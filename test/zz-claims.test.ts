import fc from 'fast-check';
import { test } from 'vitest';
import type { Tuning } from '../src/auto.js';
import { allocate } from '../src/cpu/buffers.js';
import { bindingsOf, moduleOf, textsFor, type Texts } from '../src/kernels/kernels.js';
import { type Dispatch, elementBytes, type Limits, type Plan, type ProblemShape } from '../src/plan.js';
import { uniformBlockBytes } from '../src/problem.js';
import { everyOperation } from './operations.js';

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const either = fc.constantFrom;
const tasks = (loss: boolean, keeps: boolean, targets: boolean): fc.Arbitrary<ProblemShape> =>
  fc.record({
    frames: fc.oneof(upTo(40), upTo(300)), sequences: upTo(14), classes: upTo(40), layout: either('TNC' as const, 'NTC' as const),
    maxTargetLength: targets ? upTo(9, 0) : fc.constant(0),
    scores: either('logProbs' as const, 'logits' as const), dtype: either('float32' as const, 'float16' as const),
    gradient: loss ? either('logits' as const, 'logProbs' as const, 'none' as const) : fc.constant('none' as const),
    keep: keeps ? fc.subarray(['alpha', 'beta', 'posterior'] as const) : fc.constant([]),
    reduction: loss ? either('none' as const, 'mean' as const) : fc.constant('none' as const),
    zeroInfinity: fc.boolean(), blank: fc.constant(0),
  });
const limitsAndTuning: fc.Arbitrary<[Limits, Tuning]> = fc.tuple(
  fc.record({ maxStorageBufferBindingSize: upTo(4000, 400), maxBufferSize: upTo(9000, 1600), maxComputeWorkgroupsPerDimension: upTo(12, 2) }),
  fc.record({
    workgroupSize: either(4, 8, 64), rowWorkgroupSize: either(4, 64), sharedRow: either(0, 20, 512), elementsPerDispatch: upTo(400),
    stepsPerDispatch: either(5, 2 ** 14), widestRow: either(0, 4, 256), framesPerCommand: upTo(9), partBytes: either(2000, Number.POSITIVE_INFINITY),
    lanes: either(0, 1, 1, 2, 3), subgroups: fc.boolean(), software: fc.boolean(),
  }),
);
const everyDispatch = (plan: Plan) => plan.commands.filter((c): c is Dispatch => c.type === 'dispatch');
const bytesOf = (plan: Plan, name: string) => elementBytes[plan.buffers[name]!.element] * plan.buffers[name]!.count;
const textCache = new Map<string, { name: string; type: string }[]>();
const N = Number(process.env.DRAWS ?? 2000);
for (const [name, { plans, hasTargets }] of everyOperation)
  for (const [strategy, plan] of Object.entries(plans))
    test(`${name} ${strategy}`, async () => {
      const counts: Record<string, number> = {};
      const sample: Record<string, string> = {};
      const found: Plan[] = [];
      for (const [task, [limits, tuning]] of fc.sample(fc.tuple(tasks(name === 'CtcLoss', strategy === 'step', hasTargets), limitsAndTuning), { seed: 1, numRuns: N })) {
        const hit = new Set<string>();
        const no = (kind: string, what: unknown) => { if (!hit.has(kind)) { hit.add(kind); counts[kind] = (counts[kind] ?? 0) + 1; sample[kind] ??= JSON.stringify(what) ?? String(what); } };
        let p: Plan;
        try { p = plan(task, limits, tuning); } catch (error) {
          counts.refused = (counts.refused ?? 0) + 1;
          const m = (error as Error).message;
          counts[`refused: ${m.split(/[=:]/)[0]}`] = (counts[`refused: ${m.split(/[=:]/)[0]}`] ?? 0) + 1;
          if (!(error instanceof RangeError) || !/^(T|N|C|maxTargetLength|samples)\b.*\d+/.test(m)) no('refusal', m);
          continue;
        }
        const most = limits.maxStorageBufferBindingSize;
        const used = new Set<string>(Object.values(p.results));
        for (const d of everyDispatch(p)) {
          const key = JSON.stringify([d.kernel, d.constants]);
          if (!textCache.has(key)) textCache.set(key, bindingsOf(moduleOf(d.kernel, d.constants, await textsFor(d.kernel, d.constants) as Texts).code).filter(({ type }) => type !== 'uniform'));
          const declared = textCache.get(key)!;
          const names = Object.keys(d.bindings).sort().join();
          if (names !== declared.map((b) => b.name).sort().join()) no(`bindings of ${d.kernel}`, [names, declared.map((b) => b.name).sort().join()]);
          for (const [b, to] of Object.entries(d.bindings)) {
            if ('buffer' in to) {
              used.add(to.buffer);
              if (!p.buffers[to.buffer]) { no('no buffer', to); continue; }
              const { element, count } = p.buffers[to.buffer]!;
              const { first = 0, count: bound = count - first } = to;
              const bytes = elementBytes[element];
              if (bound <= 0) no('empty binding', [d.kernel, b]);
              if ((first * bytes) % 256 !== 0) no('unaligned', [d.kernel, b]);
              if (first + bound > count) no('beyond its buffer', [d.kernel, b]);
              if (bound * bytes > most) no(`binding too large: ${b}`, [d.kernel, b, bound * bytes, most, task]);
            } else if (to.tensor === 'scores' || to.tensor === 'grad') {
              const { rowBytes, rowsPerBuffer, rows } = p.tensors[to.tensor];
              const of = (r: number) => Math.floor(r / rowsPerBuffer);
              if (to.rows * rowBytes + 252 > most || of(to.firstRow) !== of(to.firstRow + to.rows - 1) || to.firstRow + to.rows > rows) no('window', to);
            } else used.add(to.tensor);
          }
          const writes = declared.filter(({ type }) => type === 'storage').map((b) => b.name);
          for (const w of writes) for (const [b, to] of Object.entries(d.bindings)) {
            const own = d.bindings[w]!;
            if (b !== w && ('buffer' in to ? to.buffer : to.tensor) === ('buffer' in own ? own.buffer : own.tensor)) no('bound twice', [d.kernel, b, w]);
          }
          if (Math.max(...d.grid) > limits.maxComputeWorkgroupsPerDimension) no(`grid: ${d.kernel}`, [d.kernel, d.grid, limits.maxComputeWorkgroupsPerDimension, task]);
          if (Math.min(...d.grid) < 1) no(`empty grid: ${d.kernel}`, [d.kernel, d.grid, task]);
          if (d.steps && d.steps.count < 1) no('no steps', [d.kernel]);
          const batch = d.grid[1] ; const q = p.problems[d.problem]!;
          const lines = q.boxEnd - q.boxFrame; void lines; const unit = /^(rows|gradient|spell|greedy)$/.test(d.kernel) ? task.classes + task.maxTargetLength : /^(sweep|spread)$/.test(d.kernel) ? batch * q.pairs : /^(viterbi)$/.test(d.kernel) ? 3 * batch * q.pairs : /^(alpha|beta)/.test(d.kernel) ? 4 * batch * q.pairs : d.kernel === 'posterior' ? batch * q.pairs : d.kernel === 'draw' ? 3 * (task.maxTargetLength + 1) : d.kernel === 'sample' ? 6 * batch : d.kernel === 'durations' ? 2 * batch * q.pairs : d.kernel === 'reduce' ? task.sequences : task.frames;
          if (d.cost > (d.kernel === 'durations' ? 2 : 1) * (/^(sweep|spread|viterbi)$/.test(d.kernel) ? d.grid[0] : 1) * Math.max(tuning.elementsPerDispatch, unit)) no(`cost: ${d.kernel}`, [d.cost, tuning.elementsPerDispatch, unit, task]);
          if ((d.steps?.count ?? 0) > p.integers) no('integers', d.steps);
        }
        for (const c of p.commands) if (c.type === 'copy') {
          used.add(c.from); used.add(c.to);
          if (c.from === c.to) no('copy to itself', c);
          if (c.fromFirst + c.count > p.buffers[c.from]!.count || c.toFirst + c.count > p.buffers[c.to]!.count) no('copy beyond', c);
        }
        for (const k of p.kept) for (const b of [k.alpha, k.beta, k.posterior, k.scales]) if (b) used.add(b);
        for (const b of Object.keys(p.buffers)) {
          if (!used.has(b)) no(`unused ${b}`, [b, bytesOf(p, b), p.memory]);
          if (bytesOf(p, b) > limits.maxBufferSize) no(`buffer too large: ${b}`, [b, bytesOf(p, b), limits.maxBufferSize]);
        }
        const buffers = Object.keys(p.buffers).reduce((s, b) => s + bytesOf(p, b), 0);
        if (p.memory !== buffers + (p.problems.length + p.integers) * uniformBlockBytes) no('memory', p.memory);
        let onCpu = 0;
        for (const b of Object.values(p.buffers)) { const x = allocate(b); onCpu += 'm' in x ? x.m.byteLength + x.e.byteLength : x.byteLength; }
        if (onCpu > 2 * buffers) no('cpu memory', [onCpu, buffers]);
        counts.plans = (counts.plans ?? 0) + 1;
        counts.commands = (counts.commands ?? 0) + p.commands.length;
        void found;
      }
      console.log(`CLAIMS ${name} ${strategy} ${N}: ${JSON.stringify(counts, null, 1)}\n${Object.entries(sample).map(([k, v]) => `   ${k}: ${v.slice(0, 400)}`).join('\n')}`);
    }, 600000);
