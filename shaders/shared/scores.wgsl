// Reads the caller's tensor as bits: an implementation may assume that no float is NaN or infinite.

@group(0) @binding(3) var<storage, read> scores: array<u32>;
@group(0) @binding(10) var<storage, read> vectors: array<vec4u>; // the same memory

/// The bits of two bytes as float32: of a half, or of the upper half of a float32.
fn halfBits(half: u32) -> u32 {
  if (BRAIN) { return half << 16u; }
  let special = ((half & 0x8000u) << 16u) | INFINITY | ((half & 0x03ffu) << 13u);
  return select(bitcast<u32>(unpack2x16float(half).x), special, (half & 0x7c00u) == 0x7c00u);
}

/// The bits of element i as float32.
fn scoreBits(i: u32) -> u32 {
  if (!HALF) { return scores[i]; }
  return halfBits((scores[i / 2u] >> (16u * (i % 2u))) & 0xffffu);
}

/// Those of elements 4v to 4v + 3.
fn fourScores(v: u32) -> vec4u {
  if (!HALF) { return vectors[v]; }
  let low = scores[2u * v];
  let high = scores[2u * v + 1u];
  return vec4u(halfBits(low & 0xffffu), halfBits(low >> 16u), halfBits(high & 0xffffu), halfBits(high >> 16u));
}

/// Those of elements 4v to 4v + 3 of the row that starts at `start`; a probability of zero in place of what is no part of it.
/// A row starts anywhere, but which scores go together must not depend on where.
fn fourOfRow(v: u32, start: u32) -> vec4u {
  if (start % 4u == 0u && 4u * v + 4u <= problem.classes) { return fourScores(start / 4u + v); }
  var bits = vec4u(select(MINUS_INFINITY, 0u, PROBS));
  for (var j = 0u; j < 4u; j++) {
    if (4u * v + j < problem.classes) { bits[j] = scoreBits(start + 4u * v + j); }
  }
  return bits;
}

/// The nearest finite number, for bits of any but a NaN.
fn finite(bits: vec4u) -> vec4f {
  return bitcast<vec4f>(min(bitcast<vec4i>(min(bits, vec4u(0xff7fffffu))), vec4i(0x7f7fffff)));
}
