// For each (t, n), by a workgroup or by one invocation: the gradient with respect to every class,
// each written by one invocation.
//
//   gradient(c) = (softmax(c) − Σ posterior(i) over the places i of class c) · weight · gradOutput
//
// The blank's posterior is summed over S + 1 states in a fixed order; a label's places come from the
// inverse index in the sequence's record. No atomics, so the bits are the same at every run.

@group(0) @binding(4) var<storage, read> frames: array<Frame>;
@group(0) @binding(5) var<storage, read> lattice: array<vec4u>;
@group(0) @binding(6) var<storage, read> totals: array<Total>;
@group(0) @binding(7) var<storage, read> gradOutput: array<u32>;
@group(0) @binding(8) var<storage, read_write> grad: array<u32>;
@group(0) @binding(9) var<uniform> gradShift: u32;

/// v · 2^e times the weight, as bits: overflow becomes Infinity here and not in arithmetic.
fn weighted(v: f32, e: i32, weight: f32, upstream: u32) -> u32 {
  if (isNaN(upstream)) { return NAN; }
  let sign = (bitcast<u32>(v) ^ upstream) & 0x80000000u;
  let size = normalised(abs(v), e);
  if ((upstream & 0x7fffffffu) == INFINITY) { return select(sign | INFINITY, NAN, size.m == 0.0); }
  let factor = product(normalised(weight, 0), normalised(abs(bitcast<f32>(upstream)), 0));
  let result = product(size, factor);
  if (result.m == 0.0) { return 0u; }
  if (result.e > 127) { return sign | INFINITY; }
  return sign | bitcast<u32>(result.m * powerOfTwo(result.e));
}

@compute @workgroup_size(WORKGROUP)
fn gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let lane = laneOf(index);
  let t = problem.boxFrame + frameOf(group.x, index);
  let n = problem.boxSequence + group.y;
  let sequence = sequenceAt(n);
  let row = windowRow(t, n);
  if (t >= problem.boxEnd || row >= problem.rowCount) { return; }
  let start = integer + row * problem.classes;
  let gradStart = gradShift + row * problem.classes;

  let status = totals[n].status;
  let used = t < sequence.inputLength;
  if (!used || status != REGULAR) {
    let none = !used || (status == INFEASIBLE && problem.zeroInfinity != 0u);
    for (var c = lane; c < problem.classes; c += LANES) { grad[gradStart + c] = select(NAN, 0u, none); }
    return;
  }

  let part = n - problem.firstSequence;
  let place = alphaRow(part, t);
  var sums = vec2f(); // of the blanks, of all states
  for (var i = lane; i <= sequence.targetLength; i += LANES) {
    if (inBand(sequence, i, t)) {
      let pair = lattice[place + i];
      let blank = bitcast<f32>(pair.x);
      sums += vec2f(blank, blank + bitcast<f32>(pair.z));
    }
  }
  sums = sumOf(lane, sums);

  let frame = frames[framePlace(part, t)];
  let upstream = gradOutput[n * problem.gradOutputStride];
  for (var c = lane; c < problem.classes; c += LANES) {
    var posterior = 0.0;
    if (c == problem.blank) {
      posterior = sums.x;
    } else {
      let places = placesOf(sequence, c);
      for (var j = places.x; j < places.y; j++) {
        let i = placeAt(sequence, j);
        if (inBand(sequence, i, t)) { posterior += bitcast<f32>(lattice[place + i].z); }
      }
    }
    posterior /= sums.y;

    var value = -posterior;
    var e = 0;
    var special = 0u;
    if (SOFTMAX) {
      let bits = scoreBits(start + c);
      if (LOGITS) {
        let p = emission(bits, frame.unit, rangeOf(sequence));
        value += p.m * powerOfTwo(p.e) / frame.normaliser;
      } else if (isNaN(bits) || bits == INFINITY) {
        special = bits;
      } else if (bits != MINUS_INFINITY) {
        // unnormalised scores may be large: beside them the posterior does not count
        let x = reduce(bitcast<f32>(bits), 1 << 20u);
        let p = normalised(expNearZero(clamp(x.r, -0.4, 0.4)), x.k);
        if (p.e > 127) { special = INFINITY; } else if (p.e > 64) { value = p.m; e = p.e; } else { value += p.m * powerOfTwo(p.e); }
      }
    }
    var result = weighted(value, e, totals[n].weight, upstream);
    if (special != 0u) {
      let zero = (upstream & 0x7fffffffu) == 0u;
      result = select(INFINITY | (upstream & 0x80000000u), NAN, isNaN(special) || isNaN(upstream) || zero);
    }
    grad[gradStart + c] = result;
  }
}
