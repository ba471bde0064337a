// Reads the caller's tensor as bits: an implementation may assume that no float is NaN or infinite.

@group(0) @binding(3) var<storage, read> scores: array<u32>;

/// The bits of element i as float32.
fn scoreBits(i: u32) -> u32 {
  if (!HALF) { return scores[i]; }
  let half = (scores[i / 2u] >> (16u * (i % 2u))) & 0xffffu;
  let special = ((half & 0x8000u) << 16u) | INFINITY | ((half & 0x03ffu) << 13u);
  return select(bitcast<u32>(unpack2x16float(half).x), special, (half & 0x7c00u) == 0x7c00u);
}

/// The unit in which a frame's emissions are counted: e^x of its largest score x.
/// Far from zero x stays whole, since then x and its neighbours subtract exactly.
fn unitOf(x: f32, range: i32) -> Reduced {
  return reduce(x, select(0, range, abs(x) < 0.6 * f32(range)));
}

/// exp(score) in units of `unit`, which is at least as large: each is reduced by itself, so that
/// a small score loses no digits against a large unit. Exactly 1 for the unit's own score.
fn emission(bits: u32, unit: Reduced, range: i32) -> Extended {
  if (bits == MINUS_INFINITY) { return NOTHING; }
  let whole = abs(unit.r) > 1.0;
  let x = reduce(bitcast<f32>(bits), select(range, 0, whole));
  // halves: the difference of two finite scores may exceed float32
  let half = clamp(0.5 * x.r - 0.5 * unit.r, -1e30, 1e30);
  let rest = reduce(2.0 * half, 2 * range);
  let k = x.k - unit.k + rest.k;
  if (k < -range) { return NOTHING; }
  return Extended(expNearZero(rest.r), k);
}
