// The recogniser: from pen movements to a score for the blank and each digit, in jax-js. About 12,600 weights.

import { type Array as JaxArray, jit, lax, nn, numpy as np, tree } from '@jax-js/jax';
import { classes, features } from './pen.js';
import type { Random } from './random.js';

export type Weights = Record<string, JaxArray>;

const [narrow, wide] = [16, 32];
/** How far apart the three movements are that a layer of context looks at, in frames of the output. */
const reach = [1, 2, 4];

/** Kernels as [to, from, width], and what is added as [1, to, 1]. */
export const weightShapes: Readonly<Record<string, readonly number[]>> = {
  'first.kernel': [narrow, features, 5],
  'first.bias': [1, narrow, 1],
  'second.kernel': [wide, narrow, 5],
  'second.bias': [1, wide, 1],
  ...Object.fromEntries(
    reach.flatMap((_, i) => [
      [`context${i}.kernel`, [wide, wide, 3]],
      [`context${i}.bias`, [1, wide, 1]],
    ]),
  ),
  'last.kernel': [classes, wide, 1],
  'last.bias': [1, classes, 1],
};

/** Weights before training: normal, so that what comes out of a layer is as large as what goes in (He et al. 2015). */
export function initialValues(random: Random): Record<string, Float32Array<ArrayBuffer>> {
  return Object.fromEntries(
    Object.entries(weightShapes).map(([name, shape]) => {
      const [, from, width] = shape;
      const softer = name.startsWith('last') ? 0.3 : name.startsWith('context') ? 0.5 : 1;
      const deviation = name.endsWith('bias') ? 0 : softer * Math.sqrt(2 / (from! * width!));
      return [name, Float32Array.from({ length: sizeOf(shape) }, () => random.normal(deviation))];
    }),
  );
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Logits [N, frames / stride, classes] of movements [N, features, frames]. Two layers halve the time; three more see what is around. */
function network(weights: Weights, movements: JaxArray): JaxArray {
  const layer = (name: string, x: JaxArray, strides: number, width: number, dilation = 1) => {
    const around = ((width - 1) / 2) * dilation;
    const convolved = lax.convGeneralDilated(x, weights[`${name}.kernel`]!, [strides], [[around, around]], {
      rhsDilation: [dilation],
    });
    return convolved.add(weights[`${name}.bias`]!);
  };
  let x = nn.relu(layer('first', movements, 2, 5));
  x = nn.relu(layer('second', x, 2, 5));
  for (const [i, dilation] of reach.entries())
    x = x.ref.add(nn.relu(layer(`context${i}`, x, 1, 3, dilation)));
  return layer('last', x, 1, 1).transpose([0, 2, 1]);
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
