// Four extended numbers at once, one for each of four neighbouring pairs. Mantissas may leave [1, 2) for
// some steps: a sum aligns by exponents alone, and no product grows or shrinks by more than 2^3 a step.

struct Four { m: vec4f, e: vec4i }

fn powersOfTwo(e: vec4i) -> vec4f {
  return bitcast<vec4f>(vec4u(max(e + 127, vec4i())) << vec4u(23u));
}

struct Joined { total: Four, share: vec4f }

/// a + b, and the share of a in it.
fn join(a: Four, b: Four) -> Joined {
  let e = max(a.e, b.e);
  let m = a.m * powersOfTwo(a.e - e);
  let total = m + b.m * powersOfTwo(b.e - e);
  return Joined(Four(total, e), shareOf(m, total));
}

/// part / whole, with a step of Newton: GPUs divide to 2.5 ulp only, which adds up over thousands of steps.
fn shareOf(part: vec4f, whole: vec4f) -> vec4f {
  let inverse = 1.0 / max(whole, vec4f(1e-30));
  let share = part * inverse;
  return fma(fma(-share, whole, part), inverse, share);
}

fn times(a: Four, b: Four) -> Four {
  return Four(a.m * b.m, max(a.e + b.e, vec4i(ZERO)));
}

fn choose(which: vec4<bool>, a: Four, b: Four) -> Four {
  return Four(select(b.m, a.m, which), select(b.e, a.e, which));
}

/// Mantissas back to [1, 2).
fn settled(v: Four) -> Four {
  let bits = bitcast<vec4u>(v.m);
  let isZero = bits < vec4u(0x00800000u);
  let m = bitcast<vec4f>((bits & vec4u(0x007fffffu)) | vec4u(0x3f800000u));
  let e = max(v.e + vec4i(bits >> vec4u(23u)) - 127, vec4i(ZERO));
  return Four(select(m, vec4f(), isZero), select(e, vec4i(ZERO), isZero));
}
