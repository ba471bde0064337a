// For each (t, n), by a workgroup or by one invocation: a kept frame of posteriors made to sum to 1,
// once nothing else needs it.
// A sequence without a finite loss has no posterior: NaN.

@group(0) @binding(4) var<storage, read_write> lattice: array<vec4u>;
@group(0) @binding(5) var<storage, read> totals: array<Total>;

@compute @workgroup_size(WORKGROUP)
fn posterior(@builtin(workgroup_id) group: vec3u, own: Lane) {
  let lane = laneOf(own.index);
  let t = problem.boxFrame + frameOf(group.x, own.index);
  let n = problem.boxSequence + group.y;
  let sequence = sequenceAt(n);
  if (t >= min(problem.boxEnd, sequence.inputLength)) { return; }

  let place = alphaRow(n - problem.firstSequence, t);
  var sum = 0.0;
  for (var i = lane; i <= sequence.targetLength; i += LANES) {
    if (inBand(sequence, i, t)) {
      let pair = lattice[place + i];
      sum += bitcast<f32>(pair.x) + bitcast<f32>(pair.z);
    }
  }
  let regular = totals[n].status == REGULAR;
  sum = select(1.0, sumOf(lane, vec2f(sum, 0.0)).x, regular);

  for (var i = lane; i <= sequence.targetLength; i += LANES) {
    if (inBand(sequence, i, t)) {
      let pair = lattice[place + i];
      lattice[place + i] = select(
        vec4u(NAN, 0u, NAN, 0u),
        vec4u(bitcast<u32>(bitcast<f32>(pair.x) / sum), 0u, bitcast<u32>(bitcast<f32>(pair.z) / sum), 0u),
        regular,
      );
    }
  }
}
