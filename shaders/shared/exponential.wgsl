// exp and ln of our own: WGSL's exp may err by 3 + 2|x| ulp, its ln by 2^−21 near 1.

/// x = k · ln 2 + r, with |r| ≤ ½ ln 2 unless k met its limit: then r is any float.
struct Reduced { k: i32, r: f32 }

/// The value itself, but no compiler can know that: keeps it from merging the two steps of `reduce`.
fn opaque(v: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(v) ^ problem.zero);
}

fn reduce(x: f32, limit: i32) -> Reduced {
  // x may be any float: the clamp keeps it an integer when it is converted. What it cuts off stays in r.
  // ln 2 = 355/512 − 2.1219444e−4. With k = 2^14 · high + low both products and differences are exact.
  let k = clamp(i32(round(clamp(x, -1e6, 1e6) * 1.44269504)), -limit, limit);
  let high = (k + 8192) >> 14u;
  let rest = opaque(x - f32(high) * 11360.0);
  return Reduced(k, opaque(rest - f32(k - (high << 14u)) * 0.693359375) + f32(k) * 2.12194440e-4);
}

/// exp(r) for |r| ≤ 0.35, to one ulp; exactly 1 at 0. A minimax polynomial.
fn expNearZero(r: f32) -> f32 {
  return 1.0 + r * (1.0 + r * (0.49999994 + r * (0.16666421 + r * (4.1668057e-2 + r * (8.3749657e-3 + r * 1.3842711e-3)))));
}

/// exp(2h) for −44 ≤ h ≤ 44, to two ulps of itself and of a float's smallest; exactly 1 at 0, and 0 at −44.
/// Halves, since the difference of two finite floats may not be finite.
fn expOfTwice(h: vec4f) -> vec4f {
  let k = round(h * 2.88539008);
  let near = h - k * 0.3466796875;
  let s = bitcast<vec4f>(bitcast<vec4u>(near) ^ vec4u(problem.zero)) + k * 1.06097220e-4;
  let p = 1.0 + s * (2.0 + s * (1.9999998 + s * (1.3333137 + s * (0.66668892 + s * (0.26799890 + s * 8.8593350e-2)))));
  return p * bitcast<vec4f>(vec4u(max(vec4i(k) + 127, vec4i())) << vec4u(23u));
}

/// ln(1 + d) for −0.3 ≤ d ≤ 0.42: twice artanh(d / (2 + d)).
fn lnNearOne(d: f32) -> f32 {
  let s = d / (2.0 + d);
  let q = s * s;
  return 2.0 * s * (1.0 + q * (3.3333334e-1 + q * (0.2 + q * (1.4285715e-1 + q * 1.1111111e-1))));
}

/// ln of a mantissa in [1, 2) and the power of two it leaves: ln m = k · ln 2 + r.
fn lnMantissa(m: f32) -> Reduced {
  let high = m > 1.4142135;
  return Reduced(select(0, 1, high), lnNearOne(select(m, 0.5 * m, high) - 1.0));
}

/// ln(1 + d) for d ≥ 0.
fn ln1p(d: f32) -> f32 {
  if (d < 0.41) { return lnNearOne(d); }
  let total = normalised(1.0 + d, 0);
  let m = lnMantissa(total.m);
  return f32(total.e + m.k) * 0.69314718 + m.r;
}
