// Forced alignment as it is written by hand today: a trellis of log-probabilities and one of back-pointers, a row for each frame.

/** @param {Float32Array} logits [T, C] @param {number} T @param {number} C @param {number[]} targets */
export function plainViterbi(logits, T, C, targets) {
  const extended = [0, ...targets.flatMap((label) => [label, 0])];
  const L = extended.length;
  /** @type {Float64Array[]} */
  const trellis = [];
  /** @type {Uint8Array[]} */
  const pointers = [];
  for (let t = 0; t < T; t++) {
    const row = logits.subarray(t * C, (t + 1) * C);
    const top = row.reduce((a, b) => Math.max(a, b));
    const normaliser = top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
    const scores = new Float64Array(L).fill(Number.NEGATIVE_INFINITY);
    const moves = new Uint8Array(L);
    for (let s = 0; s < L; s++) {
      let best = t === 0 ? (s < 2 ? 0 : Number.NEGATIVE_INFINITY) : trellis[t - 1][s];
      if (t > 0 && s > 0 && trellis[t - 1][s - 1] > best) {
        best = trellis[t - 1][s - 1];
        moves[s] = 1;
      }
      if (t > 0 && s % 2 && s > 1 && extended[s] !== extended[s - 2] && trellis[t - 1][s - 2] > best) {
        best = trellis[t - 1][s - 2];
        moves[s] = 2;
      }
      scores[s] = best + row[extended[s]] - normaliser;
    }
    trellis.push(scores);
    pointers.push(moves);
  }
  const last = trellis[T - 1];
  let s = last[L - 1] > last[L - 2] ? L - 1 : L - 2;
  const score = last[s];
  const labels = new Int32Array(T);
  for (let t = T - 1; t >= 0; t--) {
    labels[t] = extended[s];
    s -= pointers[t][s];
  }
  return { score, labels, memory: T * L * 9 };
}
