// The caller's tensor as the kernels count: log-probabilities or logits as they are, of probabilities the logarithms.

/// The bits of ln p for those of p; those of NaN for what is less than zero.
fn lnBits(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) == 0u) { return MINUS_INFINITY; }
  // as integers all that is negative lies above
  if (bits >= INFINITY) { return select(NAN, INFINITY, bits == INFINITY); }
  // the smallest are made normal by hand, since a device may take them for zero
  let shift = max(countLeadingZeros(bits), 8u) - 8u;
  let normal = bits << shift;
  let m = lnMantissa(bitcast<f32>((normal & 0x007fffffu) | 0x3f800000u));
  let k = f32(i32(normal >> 23u) - 127 - i32(shift) + m.k);
  // ln 2 = 355/512 − 2.1219444e−4
  return bitcast<u32>(k * 0.693359375 + (m.r - k * 2.12194440e-4));
}

/// The bits of the score of element i.
fn scoreAt(i: u32) -> u32 {
  if (PROBS) { return lnBits(scoreBits(i)); }
  return scoreBits(i);
}

/// Whether the bits of what should be a probability are those of a number below zero.
fn isNegative(bits: u32) -> bool { return PROBS && bits > 0x80000000u; }
