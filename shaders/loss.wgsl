// One workgroup for each sequence: Z from the two end states, and the loss −ln Z.
//
//   Z = (alpha(T−1, last blank) + alpha(T−1, last label)) · Π_t unit_t / normaliser_t
//
// The exponents of the units are summed as integers, what remains of them by a fixed tree.

@group(0) @binding(4) var<storage, read> frames: array<Frame>;
@group(0) @binding(5) var<storage, read> ends: array<Extended>;
@group(0) @binding(6) var<storage, read_write> totals: array<Total>;

fn exponentSum(lane: u32, v: i32) -> i32 {
  return bitcast<i32>(countOf(lane, bitcast<u32>(v)));
}

@compute @workgroup_size(WORKGROUP)
fn loss(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let part = group.x;
  let n = problem.firstSequence + part;
  let sequence = sequenceAt(n);

  var k = 0;
  var r = 0.0;
  var invalid = 0u;
  for (var t = lane; t < sequence.inputLength; t += WORKGROUP) {
    let frame = frames[part * problem.frames + t];
    let scale = scaleOf(frame);
    k += scale.k;
    r += scale.r;
    invalid |= frame.invalid;
  }
  k = exponentSum(lane, k);
  r = sumOf(lane, vec2f(r, 0.0)).x;
  invalid = largestOf(lane, invalid);
  if (lane != 0u) { return; }

  var z = ONE;
  if (sequence.inputLength > 0u) {
    var label = NOTHING;
    if (sequence.targetLength > 0u) { label = ends[2u * part + 1u]; }
    z = sum3(ends[2u * part], label, NOTHING);
  }
  let share = f32(problem.sequences) * f32(max(sequence.targetLength, 1u));
  var total = Total(z, Reduced(k, r), REGULAR, 0u, select(1.0, 1.0 / share, problem.mean != 0u), 0u);
  if (invalid != 0u) {
    total.status = INVALID;
    total.loss = NAN;
  } else if (!sequence.feasible || z.m == 0.0) {
    total.status = INFEASIBLE;
    total.loss = select(INFINITY, 0u, problem.zeroInfinity != 0u);
  } else {
    let m = lnMantissa(z.m);
    let e = f32(k + z.e + m.k);
    total.loss = bitcast<u32>(0.0 - (e * 0.693359375 + (r + m.r - e * 2.12194440e-4)));
  }
  totals[n] = total;
}
