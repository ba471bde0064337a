// An emission of the best path: how far its score is below the largest of its frame, a whole number of units of
// 2^−26 in 64 bits. Sums of integers are exact in any order: between two paths no rounding decides.
// The other form of emission.wgsl: the same names.

alias Emission = vec2u; // low and high word
const UNREACHABLE = 1073741824u; // high word of a probability of zero, above that of every sum
const NO_EMISSION = Emission(0u, UNREACHABLE);
const CERTAIN = Emission();

fn unitOf(x: f32, range: i32) -> Reduced { return Reduced(); }

/// In units, towards zero; beyond 2^27 they end.
fn unitsOf(x: f32) -> Emission {
  let size = min(abs(x), 134217728.0);
  let whole = u32(size);
  let part = u32((size - f32(whole)) * 67108864.0);
  let units = Emission((whole << 26u) | part, whole >> 6u);
  return select(units, minus(Emission(), units), x < 0.0);
}

fn minus(a: Emission, b: Emission) -> Emission {
  return Emission(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

/// At most 2^27 / T_n nats, so that a path costs less than 2^53 units: the twins count in doubles.
fn emission(bits: u32, frame: Frame, range: i32) -> Emission {
  if (bits == MINUS_INFINITY) { return NO_EMISSION; }
  let cost = minus(unitsOf(frame.largest), unitsOf(bitcast<f32>(bits)));
  let most = u32(range) / 4u;
  return select(cost, Emission(most << 26u, most >> 6u), cost.y >= most >> 6u && (cost.y > most >> 6u || cost.x > most << 26u));
}
