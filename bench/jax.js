// The natural composition: CTC in operations of jax-js, log space, unrolled over time, jitted with its gradient.

/** Frames beyond which it is left out: what it compiles grows with every frame, to minutes. */
export const longest = 150;

const never = -1e30;

/** jax-js on a WebGPU of Node's, where it is undocumented: it looks for `navigator.gpu`. @param {GPU} gpu */
export async function openJax(gpu) {
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: '' }, configurable: true });
  const jax = await import('@jax-js/jax');
  await jax.init('webgpu');
  jax.defaultDevice('webgpu');
  const { numpy: np, nn } = jax;

  /**
   * Loss and gradient on the device, ready to run. A run gives the loss.
   * @param {import('./problem.js').Shape} shape @param {import('./problem.js').Scores} scores
   * @param {Float32Array<ArrayBuffer>} data @param {number[][]} targets
   */
  function prepare([T, N, C, S], scores, data, targets) {
    const L = 2 * S + 1;
    const states = targets.map((row) => Array.from({ length: L }, (_, s) => (s % 2 ? row[(s - 1) / 2] : 0)));
    const skips = states.map((row) => row.map((c, s) => (s % 2 && s > 1 && c !== row[s - 2] ? 0 : never)));
    const starts = Array.from({ length: L }, (_, s) => (s < 2 ? 0 : never));

    /** @typedef {import('@jax-js/jax').Array} A */
    const loss = (/** @type {A} */ x, /** @type {A} */ classes, /** @type {A} */ skip) => {
      const logProbs = scores === 'logits' ? nn.logSoftmax(x, -1) : x;
      const places = np.broadcastTo(classes.reshape([1, N, L]), [T, N, L]);
      const emissions = np.takeAlongAxis(logProbs, places, 2);
      const shifted = (/** @type {A} */ alpha, /** @type {number} */ by) =>
        np.concatenate([np.full([N, by], never), alpha.slice([], [0, L - by])], 1);
      let alpha = emissions.ref.slice(0).add(np.array(starts));
      for (let t = 1; t < T; t++) {
        const near = np.logaddexp(alpha.ref, shifted(alpha.ref, 1));
        const far = shifted(alpha, 2).add(skip.ref);
        alpha = np.logaddexp(near, far).add(emissions.ref.slice(t));
      }
      emissions.dispose();
      skip.dispose();
      return np
        .logaddexp(alpha.ref.slice([], L - 1), alpha.slice([], L - 2))
        .sum()
        .neg();
    };

    const lossAndGradient = jax.jit(jax.valueAndGrad(loss));
    const inputs = [
      np.array(data).reshape([T, N, C]),
      np.array(states, { dtype: np.int32 }),
      np.array(skips),
    ];
    return {
      async run() {
        const [x, classes, skip] = inputs.map((input) => input.ref);
        const [value, gradient] = await jax.blockUntilReady(lossAndGradient(x, classes, skip));
        gradient.dispose();
        return (await value.data())[0];
      },
      end() {
        for (const input of inputs) input.dispose();
        lossAndGradient.dispose();
      },
    };
  }
  return { prepare };
}
