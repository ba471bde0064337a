// What is computed: shapes, and the same random numbers for every contestant.

/** @typedef {[frames: number, sequences: number, classes: number, labels: number]} Shape T, N, C, S */
/** @typedef {'logits' | 'logProbs'} Scores */

/** @type {Shape[]} */
export const shapes = [
  [50, 16, 20, 30],
  [150, 32, 28, 40],
  [400, 32, 5000, 30],
  [1000, 16, 32, 200],
  [2000, 8, 32, 300],
  [1600, 32, 32, 300],
  [30000, 1, 32, 3000],
];

/** Uniform numbers in [0, 1), the same for every seed at every run (mulberry32). @param {number} seed */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Scores [T, N, C] and targets [N][S] without blanks, which are class 0. @param {Shape} shape @param {Scores} scores */
export function problem([T, N, C, S], scores) {
  const next = seeded(1);
  const data = new Float32Array(T * N * C);
  for (let i = 0; i < data.length; i++) data[i] = 4 * next() - 2;
  for (let row = 0; scores === 'logProbs' && row < data.length; row += C) {
    let sum = 0;
    for (let c = row; c < row + C; c++) sum += Math.exp(data[c]);
    for (let c = row; c < row + C; c++) data[c] -= Math.log(sum);
  }
  const label = () => 1 + Math.floor(next() * (C - 1));
  const targets = Array.from({ length: N }, () => Array.from({ length: S }, label));
  return { data, targets };
}

/**
 * Bytes that cannot be saved: logits are read for the normaliser and again for the gradient, log-probabilities once,
 * besides the labels' own; the gradient is written once.
 * @param {Shape} shape @param {Scores} scores
 */
export function leastBytes([T, N, C, S], scores) {
  return 4 * T * N * (scores === 'logits' ? 3 * C : 2 * C + S + 1);
}

/** Shapes of every kind, drawn from a seed on logarithmic scales. @param {number} seed @param {number} count */
export function drawShapes(seed, count) {
  const next = seeded(seed);
  /** @param {number} least @param {number} most */
  const draw = (least, most) => Math.round(least * (most / least) ** next());
  /** @type {Shape[]} */
  const drawn = [];
  while (drawn.length < count) {
    const [T, N, C] = [draw(20, 4000), draw(1, 64), draw(10, 8000)];
    const S = draw(1, Math.min(Math.floor(T / 2), 1000));
    if (T * N * C <= 6e7 && T * N * S <= 3e7) drawn.push([T, N, C, S]);
  }
  return drawn;
}
