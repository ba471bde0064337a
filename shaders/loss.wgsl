// One workgroup for each sequence: Z, the loss −ln Z, and where sweeps meet the posterior of the middle frame.
//
//   Z = (sum over all paths, in the units of the frames) · Π_t unit_t / normaliser_t
//
// The scales are summed as integers, so that a million equal frames add up to what they are.

@group(0) @binding(4) var<storage, read> frames: array<Frame>;
@group(0) @binding(6) var<storage, read_write> totals: array<Total>;

var<workgroup> parts: array<Total, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn loss(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let part = group.x;
  let n = problem.firstSequence + part;
  let sequence = sequenceAt(n);

  var sum = Total();
  sum.z = NOTHING;
  if (sequence.inputLength == 0u) { if (lane == 0u) { sum.z = ONE; } } else if (sequence.feasible) { sum.z = pathsOf(sequence, part, lane); }
  for (var t = lane; t < sequence.inputLength; t += WORKGROUP) {
    let frame = frames[framePlace(part, t)];
    let scale = scaleOf(frame);
    sum.k += scale.k; // at most 2^29 in all: rangeOf
    if (abs(scale.r) < 1.0) { sum.near = fixedSum(sum.near, toFixed(scale.r)); } else { sum.far += scale.r * 9.5367432e-7; }
    sum.status |= frame.invalid;
  }
  parts[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    // one lane adds up the others: a tree would be twice the code, whose compilation is what a first call waits for
    for (var i = 1u; i < WORKGROUP + problem.zero; i++) {
      let other = parts[i];
      sum.k += other.k;
      sum.near = fixedSum(sum.near, other.near);
      sum.far += other.far;
      sum.status |= other.status;
      sum.z = sum3(sum.z, other.z, NOTHING);
    }
    sum.weight = weightOf(sequence);
    finish(sequence, &sum);
    totals[n] = sum;
    parts[0] = sum;
  }
  shareOut(sequence, part, lane, workgroupUniformLoad(&parts[0]));
}

/// What the loss is, from all that was summed.
fn finish(sequence: Sequence, sum: ptr<function, Total>) {
  if (sum.status != 0u) {
    sum.status = INVALID;
    sum.loss = NAN;
  } else if (!sequence.feasible || sum.z.m == 0.0) {
    sum.status = INFEASIBLE;
    sum.loss = select(INFINITY, 0u, problem.zeroInfinity != 0u);
  } else {
    let m = lnMantissa(sum.z.m);
    let near = toFloat(sum.near);
    let e = f32(sum.k + sum.z.e + m.k); // from −2^30 on: z.e is at least ZERO
    let log = e * 0.693359375 + (near + clamp(sum.far, -3.2e32, 3.2e32) * 1048576.0 + m.r - e * 2.12194440e-4);
    // of logits a path's probability is at most 1, whatever rounding made of it
    let loss = select(0.0 - log, max(0.0 - log, 0.0), LOGITS);
    sum.loss = select(bitcast<u32>(loss), INFINITY ^ (bitcast<u32>(0.0 - sum.far) & 0x80000000u), abs(sum.far) > 3.2e32);
  }
}
