// The recogniser: from pen movements to a score for the blank and each digit, in jax-js. 35,443 weights.

import { type Array as JaxArray, jit, nn, numpy as np, tree } from '@jax-js/jax';
import { classes, features } from './pen.js';
import type { Random } from './random.js';

export type Weights = Record<string, JaxArray>;

const [narrow, wide] = [24, 64];
/** How far the frames before and after are that a layer of context looks at, in frames of the output. */
const reach = [1, 3];

/** Kernels as [inputs, outputs], and what is added. A layer sees the numbers of several frames side by side. */
export const weightShapes: Readonly<Record<string, readonly number[]>> = {
  'first.kernel': [6 * features, narrow],
  'first.bias': [narrow],
  'second.kernel': [6 * narrow, wide],
  'second.bias': [wide],
  ...Object.fromEntries(
    reach.flatMap((_, i) => [
      [`context${i}.kernel`, [3 * wide, wide]],
      [`context${i}.bias`, [wide]],
    ]),
  ),
  'last.kernel': [wide, classes],
  'last.bias': [classes],
};

/** Weights before training: normal, so that what comes out of a layer is as large as what goes in (He et al. 2015). */
export function initialValues(random: Random): Record<string, Float32Array<ArrayBuffer>> {
  return Object.fromEntries(
    Object.entries(weightShapes).map(([name, shape]) => {
      const softer = name.startsWith('last') ? 0.3 : name.startsWith('context') ? 0.5 : 1;
      const deviation = name.endsWith('bias') ? 0 : softer * Math.sqrt(2 / shape[0]!);
      const length = shape.reduce((product, size) => product * size, 1);
      return [name, Float32Array.from({ length }, () => random.normal(deviation))];
    }),
  );
}

/**
 * Logits [N, frames / stride, classes] of movements [N, frames, features]. Two layers halve the time; two more see what is around.
 * Convolutions as products of matrices, several times as fast in jax-js where it runs on a CPU.
 */
function network(weights: Weights, movements: JaxArray): JaxArray {
  const layer = (name: string, columns: readonly JaxArray[]) => {
    const product = np.matmul(np.concatenate([...columns], 2), weights[`${name}.kernel`]!);
    return product.add(weights[`${name}.bias`]!);
  };
  /** Pairs of frames, and the pairs before and after. */
  const halved = (name: string, x: JaxArray) => {
    const [n, frames, width] = x.shape as [number, number, number];
    const pairs = np.pad(x, { 1: [2, 2] }).reshape([n, frames / 2 + 2, 2 * width]);
    return nn.relu(layer(name, windows(pairs, [0, 1, 2], frames / 2)));
  };
  const around = (name: string, x: JaxArray, distance: number) => {
    const frames = x.shape[1]!;
    const padded = np.pad(x.ref, { 1: [distance, distance] });
    return x.add(nn.relu(layer(name, windows(padded, [0, distance, 2 * distance], frames))));
  };
  let x = halved('second', halved('first', movements));
  for (const [i, distance] of reach.entries()) x = around(`context${i}`, x, distance);
  return layer('last', [x]);
}

/** The same stretch of time from several frames on. */
function windows(x: JaxArray, starts: readonly number[], frames: number): JaxArray[] {
  const cut = starts.map((start) => x.ref.slice([], [start, start + frames], []));
  x.dispose();
  return cut;
}

/** All that learning remembers. `average` is what reads. */
export type Learned = {
  weights: Weights;
  /** Running means of the gradients and of their squares (Adam: Kingma and Ba 2015). */
  first: Weights;
  second: Weights;
  /** The weights of the last steps, averaged (Polyak and Juditsky 1992): calmer than the last alone. */
  average: Weights;
};

/** A step of Adam, its gradients no longer than 1 in all. `keep`: the share of the average that stays. */
function step(learned: Learned, gradients: Weights, rate: JaxArray, keep: JaxArray): Learned {
  const squares = tree.leaves(tree.ref(gradients)).map((g: JaxArray) => np.square(g).sum());
  const length = np.sqrt(squares.reduce((a: JaxArray, b: JaxArray) => a.add(b)));
  const scale = np.reciprocal(np.maximum(length, 1));
  const scaled: Weights = tree.map((g: JaxArray) => g.mul(scale.ref), gradients);
  scale.dispose();
  const first: Weights = tree.map(
    (m: JaxArray, g: JaxArray) => m.mul(0.9).add(g.mul(0.1)),
    learned.first,
    tree.ref(scaled),
  );
  const second: Weights = tree.map(
    (v: JaxArray, g: JaxArray) => v.mul(0.99).add(np.square(g).mul(0.01)),
    learned.second,
    scaled,
  );
  const weights: Weights = tree.map(
    (w: JaxArray, m: JaxArray, v: JaxArray) => w.sub(m.div(np.sqrt(v).add(1e-6)).mul(rate.ref)),
    learned.weights,
    tree.ref(first),
    tree.ref(second),
  );
  const average: Weights = tree.map(
    (a: JaxArray, w: JaxArray) => w.ref.add(a.sub(w).mul(keep.ref)),
    learned.average,
    tree.ref(weights),
  );
  rate.dispose();
  keep.dispose();
  return { weights, first, second, average };
}

export const forward = jit(network);
export const learn = jit(step);
