// Reads single cells of a kept lattice, and the sum of a frame: never the lattice.
import type { DeviceLattice } from 'webgpu-ctc';
import type { Cell, CellValues } from './analysis.js';
import { keptProgram } from './kept.js';

export interface Probe {
  cells(cells: readonly Cell[]): Promise<CellValues[]>;
  sum(t: number): Promise<number>;
}

/** What the library's snippet has for −Infinity is below this. */
const LOWEST = -1e38;

const source = (lattice: string, states: number) => /* wgsl */ `
${lattice}
@group(1) @binding(0) var<storage, read> asked: array<vec2u>;
@group(1) @binding(1) var<storage, read_write> answers: array<vec4f>;

@compute @workgroup_size(64) fn cells(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&asked)) { return; }
  let at = asked[id.x];
  answers[id.x] = vec4f(alphaLog(0, at.x, at.y), betaLog(0, at.x, at.y), posterior(0, at.x, at.y), 0);
}

/// asked[i].x is a frame: ln of the sum over its states, a running largest taken out.
@compute @workgroup_size(64) fn sum(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&asked)) { return; }
  let t = asked[id.x].x;
  var most = -3.4e38;
  var sum = 0.0;
  for (var s = 0u; s < ${states}u; s++) {
    let alpha = alphaLog(0, t, s);
    let beta = betaLog(0, t, s);
    if (alpha < ${LOWEST} || beta < ${LOWEST}) { continue; }
    let x = alpha + beta;
    if (x > most) { sum = sum * exp(max(most - x, -80.0)) + 1.0; most = x; }
    else { sum += exp(x - most); }
  }
  answers[id.x] = vec4f(most, sum, 0, 0);
}`;

export function createProbe(device: GPUDevice, lattice: DeviceLattice, states: number): Probe {
  const wgsl = lattice.wgsl(0);
  const program = keptProgram(device, 'demo:probe', wgsl, source(wgsl, states), [
    'read-only-storage',
    'storage',
  ]);
  const compile = (entryPoint: string) => device.createComputePipelineAsync(program.pipelineOf(entryPoint));
  const pipelines = { cells: compile('cells'), sum: compile('sum') };
  const keptGroup = device.createBindGroup({
    layout: program.keptLayout,
    entries: lattice.blocks[0]!.entries as GPUBindGroupEntry[],
  });

  async function ask(kind: 'cells' | 'sum', asked: Uint32Array<ArrayBuffer>): Promise<Float32Array> {
    const size = 8 * asked.length;
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const buffers = [
      device.createBuffer({
        label: 'demo:probe:asked',
        size: asked.byteLength,
        usage: STORAGE | COPY_DST,
      }),
      device.createBuffer({ label: 'demo:probe:answers', size, usage: STORAGE | COPY_SRC }),
      device.createBuffer({ label: 'demo:probe:staging', size, usage: MAP_READ | COPY_DST }),
    ] as const;
    try {
      const pipeline = await pipelines[kind];
      const [from, answers, staging] = buffers;
      device.queue.writeBuffer(from, 0, asked);
      const encoder = device.createCommandEncoder({ label: 'demo:probe:encoder' });
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, keptGroup);
      pass.setBindGroup(
        1,
        device.createBindGroup({
          layout: program.ownLayout,
          entries: [from, answers].map((buffer, binding) => ({ binding, resource: { buffer } })),
        }),
      );
      pass.dispatchWorkgroups(Math.ceil(asked.length / 2 / 64));
      pass.end();
      encoder.copyBufferToBuffer(answers, 0, staging, 0, size);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      return new Float32Array(staging.getMappedRange().slice(0));
    } finally {
      for (const buffer of buffers) buffer.destroy();
    }
  }

  const log = (x: number) => (x < LOWEST ? Number.NEGATIVE_INFINITY : x);
  return {
    async cells(cells) {
      const values = await ask('cells', Uint32Array.from(cells.flatMap(({ t, s }) => [t, s])));
      return cells.map((_, i) => ({
        alpha: log(values[4 * i]!),
        beta: log(values[4 * i + 1]!),
        posterior: values[4 * i + 2]!,
      }));
    },
    async sum(t) {
      const [most = 0, sum = 0] = await ask('sum', Uint32Array.of(t, 0));
      return sum > 0 ? most + Math.log(sum) : sum === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
    },
  };
}
