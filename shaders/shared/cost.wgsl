// What the best path counts: costs, in 64 bits whose integer order is the order of the costs.
//
//   below 2^53     a whole number of units of 2^−26 nats: sums are exact in any order, between two paths no rounding decides
//   above, "far"   high word  2^21 + the bits of a float beside those of 32: how many times 2^22 nats
//                  low word   2^31 + the rest, from −2^31 to 2^31 times 2^−10 nats
//
// Far are masks, and no sum of what a model gives. However large they are, the rest goes on telling apart the paths that have
// to go through as many of them.

alias Emission = vec2u; // low and high word
const UNREACHABLE = 1073741824u; // high word of a probability of zero, above that of every sum
const FAR = 2097152u; // 2^21: high word of the least that is far
const BITS_OF_32 = 0x42000000u;

/// times · 2^22 + rest · 2^−10 nats.
struct Far { times: f32, rest: i32 }

/// In `costs`, where a cost is far: the low word has the bits of the score, and that of the last slot those of the score
/// which it is below. Whoever meets it makes a cost of it; to do that for every frame would take too long.
const MARK = 536870912u; // 2^29

/// Any finite x. Products with powers of two and the difference are exact; the clamp is for a tie of `round` alone.
fn farOf(x: f32) -> Far {
  let times = round(x * 2.3841858e-7);
  return Far(times, i32(clamp((x - times * 4194304.0) * 1024.0, -2147483520.0, 2147483520.0)));
}

/// A cost as it stands in `costs`, below `largest`.
fn unmarked(stored: Emission, largest: f32) -> Emission {
  if (stored.y != MARK) { return stored; }
  return sumOfFar(farOf(largest), farOf(-bitcast<f32>(stored.x)));
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
