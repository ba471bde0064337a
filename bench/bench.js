// Loss and gradient, host arrays in and out: GPU adapter, CPU twin and PyTorch side by side in one run.
// Prints medians with their spread, and ratios to PyTorch's. usage: node bench/bench.js [--json]
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CtcError, CtcLoss } from 'webgpu-ctc/node';

const shapes = [
  [50, 16, 20, 30],
  [150, 32, 28, 40],
  [1000, 16, 32, 200],
  [400, 32, 5000, 30],
];
const rounds = 5;

/** @param {number} seed */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @param {number[]} shape */
function problem([T, N, C, S]) {
  const next = random(1);
  return {
    logits: Float32Array.from({ length: T * N * C }, () => 4 * next() - 2),
    targets: Array.from({ length: N }, () =>
      Array.from({ length: S }, () => 1 + Math.floor(next() * (C - 1))),
    ),
  };
}

/** @param {'gpu' | 'cpu'} device */
async function ours(device) {
  const ctc = await CtcLoss.create({ device, reduction: 'sum' });
  return {
    name: ctc.backend.adapter,
    /** @param {number[]} shape */
    async prepare([T, N, C, S]) {
      const { logits, targets } = problem([T, N, C, S]);
      const task = await ctc.prepare({ logits: [T, N, C], maxTargetLength: S });
      task.setTargets(targets);
      return { run: () => task.run({ logits }), end: () => task.destroy() };
    },
  };
}

const script = `
import json, sys, time
import torch
print(torch.__version__, torch.get_num_threads(), flush=True)
for line in sys.stdin:
    T, N, C, S = json.loads(line)
    if 'key' not in globals() or key != (T, N, C, S):
        key = (T, N, C, S)
        x = torch.rand(T, N, C) * 4 - 2
        y = torch.randint(1, C, (N, S))
        t = torch.full((N,), T, dtype=torch.long)
        s = torch.full((N,), S, dtype=torch.long)
    start = time.perf_counter()
    x.grad = None
    x.requires_grad_()
    torch.nn.functional.ctc_loss(x.log_softmax(2), y, t, s, reduction='sum').backward()
    print(1000 * (time.perf_counter() - start), flush=True)
`;

/** PyTorch in a process of its own, or undefined where no python3 has it. */
async function torch() {
  const has = (/** @type {string} */ name) => spawnSync(name, ['-c', 'import torch']).status === 0;
  const name = ['python3', '/usr/bin/python3'].find(has);
  if (!name) return undefined;
  const python = spawn(name, ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface(python.stdout)[Symbol.asyncIterator]();
  const [version, threads] = (await lines.next()).value.split(' ');
  return {
    name: `PyTorch ${version}, ${threads} threads`,
    /** @param {number[]} shape */
    async prepare(shape) {
      const run = async () => {
        python.stdin.write(`${JSON.stringify(shape)}\n`);
        return Number((await lines.next()).value);
      };
      return { run, end() {} };
    },
    end: () => python.kill(),
  };
}

/** @param {number[]} times */
function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}

const peers = [await ours('cpu')];
try {
  peers.unshift(await ours('gpu'));
} catch (error) {
  if (!(error instanceof CtcError)) throw error;
  console.error(`no GPU: ${error.message}`);
}
const pytorch = await torch();
if (pytorch) peers.push(pytorch);
else console.error('no PyTorch: no python3 with torch was found');

const results = [];
for (const shape of shapes) {
  const runs = await Promise.all(peers.map((peer) => peer.prepare(shape)));
  const times = peers.map(() => /** @type {number[]} */ ([]));
  // interleaved, so that whatever else the machine does meets all of them
  for (let round = -1; round < rounds; round++) {
    for (const [i, { run }] of runs.entries()) {
      const start = performance.now();
      const own = await run();
      const time = typeof own === 'number' ? own : performance.now() - start;
      if (round >= 0) times[i].push(time);
    }
  }
  for (const { end } of runs) end();
  const reference = pytorch && median(times[times.length - 1]);
  for (const [i, { name }] of peers.entries()) {
    const ms = median(times[i]);
    const spread = Math.max(...times[i]) - Math.min(...times[i]);
    results.push({ shape, name, ms, spread, ...(reference && { ratio: ms / reference }) });
  }
}
pytorch?.end();

if (process.argv.includes('--json')) console.log(JSON.stringify(results));
else {
  console.log('| T, N, C, S | | median ms | spread | × PyTorch |\n|:--|:--|--:|--:|--:|');
  for (const { shape, name, ms, spread, ratio } of results) {
    console.log(
      `| ${shape} | ${name} | ${ms.toFixed(1)} | ${spread.toFixed(1)} | ${ratio?.toFixed(2) ?? ''} |`,
    );
  }
}
