// An emission of the best path: how far its score is below the largest of its frame, in 64 bits whose integer order is the
// order of the costs. The other form of emission.wgsl: the same names.
//
//   below 2^53     a whole number of units of 2^−26 nats: sums are exact in any order, between two paths no rounding decides
//   above, "far"   high word  2^21 + the bits of a float beside those of 32: how many times 2^22 nats
//                  low word   2^31 + the rest, from −2^31 to 2^31 times 2^−10 nats
//
// Far are masks, and no sum of what a model gives. However large they are, the rest goes on telling apart the paths that have
// to go through as many of them.

const ARE_COSTS = true;
alias Emission = vec2u; // low and high word
const UNREACHABLE = 1073741824u; // high word of a probability of zero, above that of every sum
const FAR = 2097152u; // 2^21: high word of the least that is far
const BITS_OF_32 = 0x42000000u;
const NO_EMISSION = Emission(0u, UNREACHABLE);
const CERTAIN = Emission();

/// times · 2^22 + rest · 2^−10 nats.
struct Far { times: f32, rest: i32 }

fn unitOf(x: f32, range: i32) -> Reduced { return Reduced(); }

/// Whether the bits of two scores are below 2^26, as all are that a model gives.
fn areOrdinary(a: u32, b: u32) -> bool { return max(a & 0x7fffffffu, b & 0x7fffffffu) < 0x4c800000u; }

/// Of −2^26 < x < 2^26: in units, towards zero.
fn unitsOf(x: f32) -> Emission {
  let size = abs(x);
  let whole = u32(size);
  let part = u32((size - f32(whole)) * 67108864.0);
  let units = Emission((whole << 26u) | part, whole >> 6u);
  return select(units, minus(Emission(), units), x < 0.0);
}

fn minus(a: Emission, b: Emission) -> Emission {
  return Emission(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

/// Any finite x. Products with powers of two and the difference are exact; the clamp is for a tie of `round` alone.
fn farOf(x: f32) -> Far {
  let times = round(x * 2.3841858e-7);
  return Far(times, i32(clamp((x - times * 4194304.0) * 1024.0, -2147483520.0, 2147483520.0)));
}

/// Any cost but an unreachable one.
fn unpackedCost(cost: Emission) -> Far {
  if (cost.y >= FAR) { return Far(bitcast<f32>(cost.y - FAR + BITS_OF_32), bitcast<i32>(cost.x ^ 0x80000000u)); }
  let rest = (cost.y << 16u) | (cost.x >> 16u);
  return Far(f32((cost.y >> 16u) + (rest >> 31u)), bitcast<i32>(rest));
}

fn sumOfFar(a: Far, b: Far) -> Emission {
  let rest = a.rest + b.rest; // may wrap, which is 2^22 nats
  let wraps = ((a.rest ^ rest) & (b.rest ^ rest)) < 0;
  let times = min(a.times + b.times + select(0.0, select(-1.0, 1.0, rest < 0), wraps), 2.1267648e37); // 2^124
  let bits = bitcast<u32>(rest);
  if (times >= 32.0) { return Emission(bits ^ 0x80000000u, FAR + bitcast<u32>(times) - BITS_OF_32); }
  let whole = u32(max(times, 0.0)) - select(0u, 1u, rest < 0 && times > 0.0);
  return Emission(bits << 16u, (whole << 16u) | (bits >> 16u));
}

fn emission(bits: u32, frame: Frame, range: i32) -> Emission {
  if (bits == MINUS_INFINITY) { return NO_EMISSION; }
  let score = bitcast<f32>(bits);
  if (areOrdinary(bits, bitcast<u32>(frame.largest))) { return minus(unitsOf(frame.largest), unitsOf(score)); }
  return sumOfFar(farOf(frame.largest), farOf(-score));
}
