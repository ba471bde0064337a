// For each label of each sequence, by one invocation: how many frames it is expected to last, and the largest posterior
// that it has in a frame; a piece of a slice at a time, from both ends. The sums are of integers: however time is cut, and in
// whatever order its pieces come, the bits are the same.

@group(0) @binding(4) var<storage, read_write> sums: array<Fixed>;
@group(0) @binding(5) var<storage, read_write> durations: array<u32>;
@group(0) @binding(6) var<storage, read_write> confidences: array<u32>;
@group(0) @binding(7) var<storage, read> lattice: array<vec4f>;
@group(0) @binding(8) var<storage, read> totals: array<Total>;

@compute @workgroup_size(WORKGROUP)
fn expectedDurations(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let part = id.y;
  if (i >= problem.labels) { return; }
  let n = problem.firstSequence + part;
  let sequence = sequenceAt(n);
  let place = n * problem.labels + i;
  let sumPlace = part * problem.labels + i;
  var sum = Fixed();
  var most = 0.0;
  if (!FIRST || integer > 0u) {
    sum = sums[sumPlace];
    most = bitcast<f32>(confidences[place]);
  }
  let is = i < sequence.targetLength;
  let regular = totals[n].status == REGULAR;
  if (is && regular && sequence.inputLength > 0u) {
    let first = problem.boxFrame + integer * problem.segment;
    let end = min(first + problem.segment, problem.boxEnd);
    for (var sweep = 0u; sweep < 2u; sweep++) {
      let pair = placeIn(sweep, sequence, i);
      // the middle frame counts once
      let steps = lastStep(sequence, sweep) + 1u - sweep;
      let bandEnd = pair + sequence.inputLength + 1u - sequence.targetLength;
      for (var k = max(first, pair); k < min(min(end, steps), bandEnd); k++) {
        let share = lattice[stepRow(part, sweep, k) + pair / 4u][pair % 4u];
        sum = fixedSum(sum, fixedShare(share));
        most = max(most, share);
      }
    }
  }
  sums[sumPlace] = sum;
  durations[place] = select(bitcast<u32>(toFloat(sum)), NAN, is && !regular);
  confidences[place] = select(bitcast<u32>(most), NAN, is && !regular);
}
