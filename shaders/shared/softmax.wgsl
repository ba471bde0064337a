// What a class takes of its own row: softmax, times the factor of the sequence.

/// What one row tells all of its classes.
struct Row {
  largest: f32,
  inverse: f32,   // 1 / normaliser
  factor: f32,    // weight · gradOutput, if `plain`
  plain: bool,    // no product with the factor can leave the range of floats
  weight: f32,
  upstream: u32,
}

/// exp(score) of four classes, or their probabilities; for logits in units of the largest.
fn softmax(bits: vec4u, row: Row) -> vec4f {
  if (!SOFTMAX) { return vec4f(); }
  if (PROBS) { return bitcast<vec4f>(bits); }
  if (LOGITS) {
    let e = expOfTwice(max(0.5 * finite(bits) - 0.5 * row.largest, vec4f(-44.0))) * row.inverse;
    // beside the lowest finite number, which `finite` makes of −Infinity, it would count as much
    return select(e, vec4f(), bits == vec4u(MINUS_INFINITY));
  }
  return expOfTwice(clamp(0.5 * finite(bits), vec4f(-44.0), vec4f(8.0)));
}

/// Whether that holds for log-probabilities: no NaN, no +Infinity, nothing beyond 16; and for probabilities, nothing below 0.
fn arePlain(bits: vec4u) -> bool {
  if (PROBS) { return !SOFTMAX || all(bits <= vec4u(0x41800000)); }
  return LOGITS || !SOFTMAX || !(any(bitcast<vec4i>(bits) > vec4i(0x41800000)) || any(bits > vec4u(MINUS_INFINITY)));
}

/// exp(score), or the probability, of one class that is not plain.
fn exponentialOf(bits: u32) -> Extended {
  // a zero with a sign is one without
  if (PROBS) { return normalised(select(bitcast<f32>(bits), 0.0, bits >= INFINITY), 0); }
  let x = reduce(bitcast<f32>(bits), 1 << 20u);
  return normalised(expNearZero(clamp(x.r, -0.35, 0.35)), x.k);
}

/// Gradient of a class, whatever its score and the factor: overflow becomes Infinity here and not in arithmetic.
fn rare(bits: u32, posterior: f32, row: Row) -> u32 {
  let upstreamSize = row.upstream & 0x7fffffffu;
  let upstreamSign = row.upstream & 0x80000000u;
  let isNone = isNaN(bits) || isNegative(bits);
  var value = 0.0;
  var e = 0;
  if (arePlain(vec4u(bits))) {
    value = softmax(vec4u(bits), row).x - posterior;
  } else {
    // unnormalised scores may be large: beside them the posterior does not count
    let p = exponentialOf(bits);
    if (isNone || bits == INFINITY || p.e > 127) {
      return select(INFINITY | upstreamSign, NAN, isNone || isNaN(row.upstream) || upstreamSize == 0u);
    }
    value = p.m;
    e = p.e;
    if (e <= 64) {
      value = p.m * powerOfTwo(e) - posterior;
      e = 0;
    }
  }
  if (isNaN(row.upstream)) { return NAN; }
  let sign = (bitcast<u32>(value) & 0x80000000u) ^ upstreamSign;
  let size = normalised(abs(value), e);
  if (upstreamSize == INFINITY) { return select(sign | INFINITY, NAN, size.m == 0.0); }
  let result = product(size, product(normalised(row.weight, 0), normalised(bitcast<f32>(upstreamSize), 0)));
  if (result.m == 0.0) { return 0u; }
  if (result.e > 127) { return sign | INFINITY; }
  return sign | bitcast<u32>(result.m * powerOfTwo(result.e));
}

/// No zero has a sign.
fn plainBits(v: f32) -> u32 { return select(bitcast<u32>(v), 0u, v == 0.0); }
