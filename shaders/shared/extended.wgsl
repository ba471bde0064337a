// The number type of the lattice: value = m · 2^e, far beyond the range of any float.
//
//   zero       m = 0 and e = ZERO. Always both: a zero with a high exponent would pull up the
//              alignment of a sum and flush the terms beside it.
//   otherwise  1 ≤ m < 2, e ≥ ZERO; of an emission 0.7 < m < 1.5
//
// No ln or exp is taken in the recursion: a sum aligns its terms by integer subtraction.

struct Extended { m: f32, e: i32 }

const ZERO: i32 = -536870912; // −2^29
const NOTHING = Extended(0.0, ZERO);
const ONE = Extended(1.0, 0);

/// 2^e, built from bits; 0 below 2^−126 (an implementation may flush subnormals anyway). e ≤ 127.
fn powerOfTwo(e: i32) -> f32 {
  return bitcast<f32>(u32(max(e + 127, 0)) << 23u);
}

/// m · 2^e with the mantissa brought back to [1, 2), for m ≥ 0.
fn normalised(m: f32, e: i32) -> Extended {
  let bits = bitcast<u32>(m);
  let exponent = max(e + i32(bits >> 23u) - 127, ZERO);
  let mantissa = bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u);
  let isZero = bits < 0x00800000u;
  return Extended(select(mantissa, 0.0, isZero), select(exponent, ZERO, isZero));
}

fn product(a: Extended, b: Extended) -> Extended {
  return normalised(a.m * b.m, max(a.e + b.e, ZERO));
}

fn sum3(a: Extended, b: Extended, c: Extended) -> Extended {
  let e = max(a.e, max(b.e, c.e));
  return normalised(a.m * powerOfTwo(a.e - e) + b.m * powerOfTwo(b.e - e) + c.m * powerOfTwo(c.e - e), e);
}

// Two states travel together as one 16-byte load: pair i is the blank before label i, and label i.
//
//   state   0   1   2   3   4  …  2S          S labels, L = 2S + 1 states
//           ␣   a   ␣   b   ␣  …   ␣
//   pair   └─0─┘   └─1─┘   …    └─S─┘         the label of pair S does not exist and stays zero
struct Pair { blank: Extended, label: Extended }

fn unpack(word: vec4u) -> Pair {
  return Pair(
    Extended(bitcast<f32>(word.x), bitcast<i32>(word.y)),
    Extended(bitcast<f32>(word.z), bitcast<i32>(word.w)),
  );
}

fn pack(pair: Pair) -> vec4u {
  return vec4u(
    bitcast<u32>(pair.blank.m), bitcast<u32>(pair.blank.e),
    bitcast<u32>(pair.label.m), bitcast<u32>(pair.label.e),
  );
}
