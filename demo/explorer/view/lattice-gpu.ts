// Draws the lattice on a WebGPU canvas from the task's own buffers: no value of it is read back.
import { mat3 } from 'wgpu-matrix';
import { resize } from '../../shared/canvas.js';
import {
  decades,
  hatch,
  hatchSpacing,
  hatchWidth,
  rampSteps,
  rampsOf,
  type Theme,
} from '../../shared/colours.js';
import { isSigned, type Layer, layers } from '../../shared/layers.js';
import { type Analysis, largestGradient, statesOf } from '../engine/analysis.js';
import { type KeptProgram, keptProgram } from '../engine/kept.js';
import fieldCode from './field.wgsl?raw';
import latticeCode from './lattice.wgsl?raw';
import type { Renderer, Scene, View } from './scene.js';
import { wholeView } from './scene.js';

const lookSize = 256;

export function createGpuRenderer(canvas: HTMLCanvasElement, device: GPUDevice): Renderer {
  const format = navigator.gpu.getPreferredCanvasFormat();
  const contextOf = (of: HTMLCanvasElement) => {
    const context = of.getContext('webgpu')!;
    context.configure({ device, format });
    return context;
  };
  const context = contextOf(canvas);
  const mapContexts = new WeakMap<HTMLCanvasElement, GPUCanvasContext>();
  const fields = new Fields(device);
  const constants = `const DECADES = ${decades}.0;\nconst SPACING = ${hatchSpacing}.0;\nconst WIDTH = ${hatchWidth};\nconst STEPS = ${rampSteps}u;\n`;
  const module = device.createShaderModule({ label: 'demo:lattice:module', code: constants + latticeCode });
  const pipeline = device.createRenderPipeline({
    label: 'demo:lattice:pipeline',
    layout: 'auto',
    vertex: { module },
    fragment: { module, targets: [{ format }] },
  });
  const { UNIFORM, STORAGE, COPY_DST } = GPUBufferUsage;
  const lookOf = (name: string) =>
    device.createBuffer({ label: `demo:${name}:look`, size: lookSize, usage: UNIFORM | COPY_DST });
  const looks = { canvas: lookOf('canvas'), map: lookOf('map') };
  const groups = new Map<string, GPUBindGroup>();
  const ramps = device.createBuffer({
    ...{ label: 'demo:ramps', size: 4 * 4 * rampSteps, usage: STORAGE | COPY_DST },
  });
  let theme: Theme | undefined;

  /** Of a uniform and the fields that are drawn; made once for each analysis. */
  function groupOf(kind: keyof typeof looks, field: GPUBuffer, before: GPUBuffer): GPUBindGroup {
    const key = [kind, field.label, before.label].join();
    let group = groups.get(key);
    if (!group) {
      const buffers = [looks[kind], field, before, ramps];
      group = device.createBindGroup({
        label: 'demo:lattice:group',
        layout: pipeline.getBindGroupLayout(0),
        entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      groups.set(key, group);
    }
    return group;
  }

  function render(kind: keyof typeof looks, to: GPUCanvasContext, scene: Scene, view: View): void {
    const { analysis, layer, sweep } = scene;
    if (fields.version !== analysis.version) groups.clear();
    const encoder = device.createCommandEncoder({ label: 'demo:lattice:encoder' });
    const field = fields.of(encoder, analysis, layer);
    const before = sweep?.first ? fields.of(encoder, analysis, sweep.first) : field;
    if (scene.theme !== theme) {
      theme = scene.theme;
      device.queue.writeBuffer(ramps, 0, rampsOf(theme));
    }
    device.queue.writeBuffer(looks[kind], 0, lookAt(scene, view));
    const pass = encoder.beginRenderPass({
      label: 'demo:lattice:pass',
      colorAttachments: [{ view: to.getCurrentTexture().createView(), loadOp: 'clear', storeOp: 'store' }],
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, groupOf(kind, field, before));
    pass.draw(3);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  return {
    draw(scene, view) {
      if (view.width === 0 || view.height === 0) return;
      resize(canvas, view.width, view.height);
      render('canvas', context, scene, view);
    },
    drawMap(map, scene) {
      const view = wholeView(map, scene);
      if (view.width === 0 || view.height === 0) return;
      resize(map, view.width, view.height);
      let to = mapContexts.get(map);
      if (!to) {
        to = contextOf(map);
        mapContexts.set(map, to);
      }
      render('map', to, scene, view);
    },
    destroy() {
      context.unconfigure();
      fields.destroy();
      for (const buffer of [...Object.values(looks), ramps]) buffer.destroy();
    },
  };
}

/** The uniform of lattice.wgsl. */
function lookAt(
  { analysis, layer, scale, sweep, highlight, theme }: Scene,
  view: View,
): Float32Array<ArrayBuffer> {
  const look = new Float32Array(lookSize / 4);
  const integers = new Int32Array(look.buffer);
  const [dt, ds] = [(view.right - view.left) / view.width, (view.bottom - view.top) / view.height];
  const toCells = mat3.scale(mat3.translation([view.left, view.top]), [dt, ds]);
  look.set(toCells, 0); // three columns of four, as in the shader
  const { line, nan, nanLine } = hatch[theme];
  for (const [i, rgb] of [line, nan, nanLine].entries())
    look.set(
      rgb.map((x) => x / 255),
      12 + 4 * i,
    );
  look.set([1 / dt, 1 / ds, view.ratio], 24);
  const { problem } = analysis;
  integers.set([problem.frames, statesOf(problem)], 27);
  integers.set([Number(scale === 'log'), Number(isSigned(layer))], 29);
  integers[31] = highlight === undefined ? -1 : 2 * highlight + 1;
  integers[32] = sweep ? (sweep.direction === 'forward' ? 1 : sweep.first ? -1 : -2) : 0;
  integers[33] = sweep?.frame ?? 0;
  return look;
}

/** The values of each layer of the last analysis, with their maxima over time, made when they are first asked for. */
class Fields {
  version = -1;
  readonly #device: GPUDevice;
  readonly #fields = new Map<Layer, GPUBuffer>();
  readonly #programs = new Map<string, FieldProgram>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  of(encoder: GPUCommandEncoder, analysis: Analysis, layer: Layer): GPUBuffer {
    if (this.version !== analysis.version) this.destroy();
    this.version = analysis.version;
    let field = this.#fields.get(layer);
    if (!field) {
      field = this.#make(encoder, analysis, layer);
      this.#fields.set(layer, field);
    }
    return field;
  }

  destroy(): void {
    for (const field of this.#fields.values()) field.destroy();
    this.#fields.clear();
  }

  #make(encoder: GPUCommandEncoder, analysis: Analysis, layer: Layer): GPUBuffer {
    const device = this.#device;
    const { problem, logProbs, grad, baseline, loss, version } = analysis;
    if (!('onDevice' in analysis.lattice)) throw new TypeError('expected a lattice on the device');
    const { wgsl, entries } = analysis.lattice.onDevice;
    const states = statesOf(problem);
    const lengths = [problem.frames];
    while (lengths.at(-1)! > 1) lengths.push(Math.ceil(lengths.at(-1)! / 2));
    const starts = lengths.map((_, k) => states * lengths.slice(0, k).reduce((sum, n) => sum + n, 0));
    const status = Number.isNaN(loss) ? 2 : loss === Number.POSITIVE_INFINITY ? 1 : 0;

    const { STORAGE, UNIFORM, COPY_DST } = GPUBufferUsage;
    const make = (name: string, size: number, usage: number) =>
      device.createBuffer({ label: `demo:${name}:${layer}.${version}`, size, usage });
    const field = make('field', 4 * states * lengths.reduce((sum, n) => sum + n), STORAGE);
    const compared = { probability: logProbs, gradient: grad, change: baseline }[layer as string];
    const scores = make('scores', compared?.byteLength ?? 4, STORAGE | COPY_DST);
    const largest = make('largest', 4 * problem.frames, STORAGE | COPY_DST);
    if (compared) device.queue.writeBuffer(scores, 0, compared);
    if (layer === 'gradient')
      device.queue.writeBuffer(largest, 0, Float32Array.of(largestGradient(analysis)));
    const shapes = make('shapes', 256 * lengths.length, UNIFORM | COPY_DST);
    lengths.forEach((length, k) => {
      const shape = [problem.frames, states, problem.classes, status, starts[k]!, starts[k + 1] ?? 0, length];
      device.queue.writeBuffer(shapes, 256 * k, Uint32Array.from(shape));
    });

    const program = this.#programOf(wgsl, layer);
    const { keptLayout, ownLayout } = program.layouts;
    const kept = device.createBindGroup({ layout: keptLayout, entries: [...entries] });
    const own = device.createBindGroup({
      layout: ownLayout,
      entries: [shapes, scores, largest, field].map((buffer, binding) => ({
        binding,
        resource: binding === 0 ? { buffer, size: 32 } : { buffer },
      })),
    });
    const pass = encoder.beginComputePass({ label: 'demo:field:pass' });
    const run = (kernel: FieldKernel, level: number, across: number, down: number) => {
      pass.setPipeline(program.pipeline(kernel));
      pass.setBindGroup(0, kept);
      pass.setBindGroup(1, own, [256 * level]);
      pass.dispatchWorkgroups(Math.ceil(across / 64), down);
    };
    if (layer === 'alpha' || layer === 'beta') run('largestOfFrame', 0, problem.frames, 1);
    run('level0', 0, problem.frames, states);
    for (let k = 0; k + 1 < lengths.length; k++) run('nextLevel', k, lengths[k + 1]!, states);
    pass.end();
    // what the passes still need lives until they have run
    device.queue.onSubmittedWorkDone().then(() => {
      for (const buffer of [scores, largest, shapes]) buffer.destroy();
    });
    return field;
  }

  #programOf(wgsl: string, layer: Layer): FieldProgram {
    const key = `${layer} ${wgsl}`;
    let made = this.#programs.get(key);
    if (!made) {
      made = new FieldProgram(this.#device, wgsl, layer);
      this.#programs.set(key, made);
    }
    return made;
  }
}

type FieldKernel = 'largestOfFrame' | 'level0' | 'nextLevel';

/** Compiles what a layer needs when it is first asked for: most need two of the three. */
class FieldProgram {
  readonly layouts: KeptProgram;
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, GPUComputePipeline>();

  constructor(device: GPUDevice, wgsl: string, layer: Layer) {
    const names = layers.map((name, i) => `const ${name.toUpperCase()} = ${i}u;\n`).join('');
    const code = `${names}const LAYER = ${layers.indexOf(layer)}u;\n${wgsl}${fieldCode}`;
    const own = ['uniform', 'read-only-storage', 'storage', 'storage'] as const;
    this.#device = device;
    this.layouts = keptProgram(device, `demo:field:${layer}`, wgsl, code, own, true);
  }

  pipeline(kernel: FieldKernel): GPUComputePipeline {
    let made = this.#pipelines.get(kernel);
    if (!made) {
      made = this.#device.createComputePipeline(this.layouts.pipelineOf(kernel));
      this.#pipelines.set(kernel, made);
    }
    return made;
  }
}
