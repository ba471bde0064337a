// One workgroup for each sequence: running sums over t of ln(unit_t / normaliser_t), which turn kept
// alpha and beta back into log-probabilities. Each lane sums a run of frames, then starts where the
// lanes before it end.
//
//   frames   a b c | d e f | g h i     lane totals  A B C     starts  0  A  A+B

@group(0) @binding(4) var<storage, read> frames: array<Frame>;
@group(0) @binding(5) var<storage, read_write> scales: array<Reduced>;

var<workgroup> runs: array<Reduced, WORKGROUP>;

/// Keeps the remainder small, so that it does not lose digits as it grows.
fn add(run: Reduced, scale: Reduced) -> Reduced {
  let r = run.r + scale.r;
  if (abs(r) > 1.0) { return Reduced(run.k + scale.k, r); }
  let rest = reduce(r, 2);
  return Reduced(run.k + scale.k + rest.k, rest.r);
}

@compute @workgroup_size(WORKGROUP)
fn runningScales(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let part = group.x;
  let n = problem.firstSequence + part;
  let sequence = sequenceAt(n);
  let length = (sequence.inputLength + WORKGROUP - 1u) / WORKGROUP;
  let first = min(lane * length, sequence.inputLength);
  let end = min(first + length, sequence.inputLength);
  let place = framePlace(part, 0u);

  var run = Reduced();
  for (var t = first; t < end; t++) {
    run = add(run, scaleOf(frames[place + t]));
  }
  runs[lane] = run;
  workgroupBarrier();

  run = Reduced();
  for (var before = 0u; before < lane; before++) {
    run = add(run, runs[before]);
  }
  for (var t = first; t < end; t++) {
    run = add(run, scaleOf(frames[place + t]));
    scales[place + t] = run;
  }
}
