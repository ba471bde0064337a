// The same picture without WebGPU: a 2D canvas, from a lattice in memory.

import { resize } from '../../shared/canvas.js';
import { colourOf, hatch, hatchSpacing, hatchWidth, type Rgb } from '../../shared/colours.js';
import type { Layer } from '../../shared/layers.js';
import { type Analysis, classAt, largestGradient, statesOf } from '../engine/analysis.js';
import type { Renderer, Scene, View } from './scene.js';
import { wholeView } from './scene.js';

const css = ([r, g, b]: Rgb) => `rgb(${r} ${g} ${b})`;

/** Of a cell: its value, or why it has none. */
type Value = number | 'impossible';

export function createHostRenderer(canvas: HTMLCanvasElement): Renderer {
  let cached: { version: number; values: Map<Layer, (t: number, s: number) => Value> } | undefined;

  /** Values of a layer, what is costly about them once for each analysis. */
  function valuesOf(analysis: Analysis, layer: Layer): (t: number, s: number) => Value {
    const { version } = analysis;
    if (cached?.version !== version) cached = { version, values: new Map() };
    let values = cached.values.get(layer);
    if (!values) {
      values = layerOf(analysis, layer);
      cached.values.set(layer, values);
    }
    return values;
  }

  function paint(target: HTMLCanvasElement, scene: Scene, view: View): void {
    const { analysis, layer, scale, sweep, highlight, theme } = scene;
    const { problem } = analysis;
    const context = target.getContext('2d')!;
    const { width, height, left, top, ratio } = view;
    resize(target, width, height);
    if (width === 0 || height === 0) return;
    const [cellWidth, cellHeight] = [width / (view.right - left), height / (view.bottom - top)];
    const ofLayer = valuesOf(analysis, layer);
    const before = sweep?.first ? valuesOf(analysis, sweep.first) : ofLayer;
    const valueAt = (t: number, s: number): Value => {
      if (!sweep) return ofLayer(t, s);
      if (sweep.direction === 'backward' && t >= sweep.frame) return ofLayer(t, s);
      const isReached = sweep.direction === 'forward' ? t <= sweep.frame : sweep.first !== undefined;
      const value = before(t, s);
      return isReached || value === 'impossible' ? value : 0;
    };
    const card = css(colourOf('posterior', 0, 'label', theme, 'linear'));
    const lines = { impossible: stripes(context, card, css(hatch[theme].line), ratio) };
    const nan = stripes(context, css(hatch[theme].nan), css(hatch[theme].nanLine), ratio);
    context.fillStyle = card;
    context.fillRect(0, 0, width, height);
    const isLarge = Math.min(cellWidth, cellHeight) >= 6 * ratio;
    // where cells are narrower than pixels, the loudest of those under one
    const [perColumn, perRow] = [1 / Math.min(1, cellWidth), 1 / Math.min(1, cellHeight)];
    const states = Math.min(statesOf(problem), view.bottom);
    for (let row = Math.max(0, Math.floor(top)); row < states; row += perRow) {
      for (
        let column = Math.max(0, Math.floor(left));
        column < Math.min(problem.frames, view.right);
        column += perColumn
      ) {
        const { value, s } = loudest(
          valueAt,
          problem.frames,
          statesOf(problem),
          column,
          perColumn,
          row,
          perRow,
        );
        if (value === 'impossible') context.fillStyle = lines.impossible;
        else if (Number.isNaN(value)) context.fillStyle = nan;
        else {
          const paled = highlight !== undefined && s !== 2 * highlight + 1;
          context.fillStyle = css(colourOf(layer, value, s % 2 ? 'label' : 'blank', theme, scale, paled));
        }
        const [x, y] = [(column - left) * cellWidth, (row - top) * cellHeight];
        const [w, h] = [perColumn * cellWidth, perRow * cellHeight];
        if (isLarge) {
          context.beginPath();
          const radius = Math.min(5 * ratio, w / 4, h / 4);
          context.roundRect(x + ratio / 2, y + ratio / 2, w - ratio, h - ratio, radius);
          context.fill();
        } else context.fillRect(x, y, w, h);
      }
    }
  }

  return {
    draw: (scene, view) => paint(canvas, scene, view),
    drawMap: (map, scene) => paint(map, scene, wholeView(map, scene)),
    destroy() {},
  };
}

function layerOf(analysis: Analysis, layer: Layer): (t: number, s: number) => Value {
  const { problem, lattice, logProbs, grad, baseline, loss } = analysis;
  if (!('onHost' in lattice)) throw new TypeError('expected a lattice in memory');
  const { stride, ...kept } = lattice.onHost;
  const { frames, classes } = problem;
  if (layer === 'probability') return (t, s) => Math.exp(logProbs[t * classes + classAt(problem, s)]!);
  if (layer === 'gradient') {
    const largest = largestGradient(analysis);
    return (t, s) => grad[t * classes + classAt(problem, s)]! / largest;
  }
  const values = kept[layer === 'change' ? 'posterior' : layer];
  if (Number.isNaN(loss)) return () => Number.NaN;
  const { alpha, beta } = kept;
  const possible = (t: number, s: number) => {
    const at = t * stride + s;
    return loss !== Number.POSITIVE_INFINITY && alpha[at]! + beta[at]! !== Number.NEGATIVE_INFINITY;
  };
  if (layer === 'change') {
    const states = statesOf(problem);
    return (t, s) =>
      possible(t, s) ? values[t * stride + s]! - (baseline?.[t * states + s] ?? 0) : 'impossible';
  }
  if (layer === 'posterior') return (t, s) => (possible(t, s) ? values[t * stride + s]! : 'impossible');
  const states = statesOf(problem);
  const largest = Array.from({ length: frames }, (_, t) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let s = 0; s < states; s++) if (possible(t, s)) most = Math.max(most, values[t * stride + s]!);
    return most;
  });
  return (t, s) => (possible(t, s) ? Math.exp(values[t * stride + s]! - largest[t]!) : 'impossible');
}

/** The value farthest from zero among some cells, and its state. */
function loudest(
  valueAt: (t: number, s: number) => Value,
  frames: number,
  states: number,
  column: number,
  columns: number,
  row: number,
  rows: number,
): { value: Value; s: number } {
  let found: { value: Value; s: number } = { value: 'impossible', s: Math.floor(row) };
  for (let s = Math.floor(row); s < Math.min(states, row + rows); s++) {
    for (let t = Math.floor(column); t < Math.min(frames, column + columns); t++) {
      const value = valueAt(t, s);
      if (value === 'impossible') continue;
      if (Number.isNaN(value)) return { value, s };
      if (found.value === 'impossible' || Math.abs(value) > Math.abs(found.value)) found = { value, s };
    }
  }
  return found;
}

/** Diagonal lines that stay where they are on the screen. */
function stripes(
  context: CanvasRenderingContext2D,
  ground: string,
  line: string,
  ratio: number,
): CanvasPattern {
  const size = Math.max(4, Math.round(hatchSpacing * ratio));
  const tile = new OffscreenCanvas(size, size);
  const of = tile.getContext('2d')!;
  of.fillStyle = ground;
  of.fillRect(0, 0, size, size);
  of.fillStyle = line;
  for (let y = 0; y < size; y++) {
    const from = (2 * size - y) % size;
    of.fillRect(from, y, hatchWidth * ratio, 1);
    of.fillRect(from - size, y, hatchWidth * ratio, 1);
  }
  return context.createPattern(tile, 'repeat')!;
}
