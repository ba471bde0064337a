// An emission of the sums over paths: a probability, relative to the largest of its frame. Its other form is distance.wgsl.

const ARE_COSTS = false;
alias Emission = Extended;
/// Of zero: its exponent is below ZERO, so that times any state it is ZERO and not a little above it.
const NO_EMISSION = Emission(0.0, -1073741824); // −2^30
const CERTAIN = Emission(1.0, 0);

fn starEmission(isBlankBest: bool) -> Emission { return NO_EMISSION; }
fn areOrdinary(a: u32, b: u32) -> bool { return true; }
fn noEmission(frame: Frame) -> Emission { return NO_EMISSION; }
fn mayBeFar(value: Emission, range: i32) -> bool { return false; }
fn noteFar(part: u32) {}

/// The unit in which a frame's emissions are counted: e^x of its largest score x.
/// Far from zero x stays whole, since then x and its neighbours subtract exactly.
fn unitOf(x: f32, range: i32) -> Reduced {
  return reduce(x, select(0, range, abs(x) < 0.6 * f32(range)));
}

/// exp(score) in units of `unit`, which is at least as large: each is reduced by itself, so that
/// a small score loses no digits against a large unit. Exactly 1 for the unit's own score.
fn emission(bits: u32, frame: Frame, range: i32) -> Emission {
  // no path goes through a frame that has no probabilities: a NaN would come out of here as any number
  if (bits == MINUS_INFINITY || frame.invalid != 0u) { return NO_EMISSION; }
  let score = bitcast<f32>(bits);
  let unit = frame.unit;
  let whole = abs(unit.r) > 1.0;
  // halves: the difference of two finite scores may exceed float32
  let apart = 2.0 * clamp(0.5 * score - 0.5 * unit.r, -1e30, 1e30);
  let x = reduce(select(score, apart, whole), select(range, 2 * range, whole));
  // what `reduce` has left beyond its limit may be any number: cut off where the emission is zero anyway, so that it
  // becomes an integer, |up| < 2^21, and the sum of integers below cannot wrap
  let r = clamp(x.r - select(unit.r, 0.0, whole), -1e6, 1e6);
  let up = round(r * 1.44269504);
  let k = x.k - unit.k + i32(up);
  if (k < -range) { return NO_EMISSION; }
  return Extended(expNearZero(opaque(r - up * 0.693359375) + up * 2.12194440e-4), k);
}

/// Of either of two classes.
fn eitherEmission(a: Emission, b: Emission) -> Emission {
  let e = max(a.e, b.e);
  let m = a.m * powerOfTwo(a.e - e) + b.m * powerOfTwo(b.e - e);
  if (m == 0.0) { return NO_EMISSION; }
  return normalised(m, e);
}
