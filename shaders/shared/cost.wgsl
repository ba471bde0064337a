// An emission of the best path: how far its score is below the largest of its frame, in units of 2^−26 nats. A cost is in
// 64 bits what a double would be that has this unit for its smallest number: below 2^53 units a whole number, so that sums
// are exact in any order and between two paths no rounding decides; above, which takes scores of millions, 53 bits and an
// exponent. Either way the integer order of the bits is the order of the costs, and the twins, who have doubles, count the same.
// The other form of emission.wgsl: the same names.

const ARE_COSTS = true;
alias Emission = vec2u; // low and high word
const UNREACHABLE = 1073741824u; // high word of a probability of zero, above that of every sum
const ROUNDED = 2097152u; // 2^21: high word of the least that is not a whole number of units but rounded
const ORDINARY = 67108864.0; // 2^26: above every score that a model gives
const NO_EMISSION = Emission(0u, UNREACHABLE);
const CERTAIN = Emission();

fn unitOf(x: f32, range: i32) -> Reduced { return Reduced(); }

/// |x| in units, towards zero. No conversion saturates: from 2^27 on x is a whole number, and its bits are moved as they are.
fn unitsOf(x: f32) -> Emission {
  let size = abs(x);
  if (size >= 134217728.0) {
    let bits = bitcast<u32>(size);
    let mantissa = (bits & 0x007fffffu) | 0x00800000u;
    return Emission(mantissa << 29u, (mantissa >> 3u) + (((bits >> 23u) - 153u) << 20u));
  }
  let whole = u32(size);
  let part = u32((size - f32(whole)) * 67108864.0);
  return Emission((whole << 26u) | part, whole >> 6u);
}

fn minus(a: Emission, b: Emission) -> Emission {
  return Emission(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

/// Half of a number; the last bit says whether what is lost was zero.
fn halved(v: vec2u) -> vec2u {
  return vec2u((v.x >> 1u) | (v.y << 31u) | (v.x & 1u), v.y >> 1u);
}

/// a + b, or a − b of a ≥ b, as doubles do it: to the nearest of 53 bits, to the even one of two.
fn rounded(a: Emission, b: Emission, isMinus: bool) -> Emission {
  let isLess = a.y < b.y || (a.y == b.y && a.x < b.x);
  let large = select(a, b, isLess);
  let small = select(b, a, isLess);
  // an exponent of 0 and of 1 count alike: both are whole numbers
  var exponent = max(large.y >> 20u, 1u) - 1u;
  let apart = exponent + 1u - max(small.y >> 20u, 1u);
  var sum = mantissaOf(large);
  var other = mantissaOf(small);
  for (var i = min(apart, 64u); i > 0u; i--) { other = halved(other); }
  if (isMinus) {
    sum = minus(sum, other);
    for (; exponent > 0u && sum.y < 0x40000000u; exponent--) { sum = vec2u(sum.x << 1u, (sum.y << 1u) | (sum.x >> 31u)); }
  } else {
    let low = sum.x + other.x;
    sum = vec2u(low, sum.y + other.y + select(0u, 1u, low < other.x));
    if (sum.y >= 0x80000000u) {
      sum = halved(sum);
      exponent++;
    }
  }
  let rest = sum.x & 1023u;
  let kept = vec2u((sum.x >> 10u) | (sum.y << 22u), sum.y >> 10u);
  let up = select(0u, 1u, rest + (kept.x & 1u) > 512u);
  let low = kept.x + up;
  return Emission(low, kept.y + select(0u, 1u, low < up) + (exponent << 20u));
}

/// The 53 bits of a cost, and ten more below them.
fn mantissaOf(cost: Emission) -> vec2u {
  let high = select(cost.y, (cost.y & 0x000fffffu) | 0x00100000u, cost.y >= ROUNDED);
  return vec2u(cost.x << 10u, (high << 10u) | (cost.x >> 22u));
}

fn emission(bits: u32, frame: Frame, range: i32) -> Emission {
  if (bits == MINUS_INFINITY) { return NO_EMISSION; }
  let score = bitcast<f32>(bits);
  let units = unitsOf(score);
  let largest = unitsOf(frame.largest);
  let isMinus = (score < 0.0) == (frame.largest < 0.0);
  // so that their difference is a whole number of units
  if (max(abs(score), abs(frame.largest)) < ORDINARY) {
    let sum = minus(largest, minus(Emission(), units));
    return select(sum, select(minus(largest, units), minus(units, largest), score < 0.0), isMinus);
  }
  return rounded(largest, units, isMinus);
}
