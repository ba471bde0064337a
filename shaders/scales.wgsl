// One workgroup for each sequence: running sums over t of ln(unit_t / normaliser_t), which turn kept
// alpha and beta back into log-probabilities. Each lane sums a run of frames, then starts where the
// lanes before it end.
//
//   frames   a b c | d e f | g h i     lane totals  A B C     starts  0  A  A+B

@group(0) @binding(4) var<storage, read> frames: array<Frame>;
/// k · ln 2 + r + far · 2^20: `far` sums what is too large for k, in units in which no sum of it overflows.
struct Scale { k: i32, r: f32, far: f32 }

@group(0) @binding(5) var<storage, read_write> scales: array<Scale>;

var<workgroup> runs: array<Scale, WORKGROUP>;

/// Keeps the remainder small, so that it does not lose digits as it grows.
fn add(run: Scale, scale: Reduced) -> Scale {
  if (abs(scale.r) >= 1.0) { return Scale(run.k + scale.k, run.r, run.far + scale.r * 9.5367432e-7); }
  let rest = reduce(run.r + scale.r, 2);
  return Scale(run.k + scale.k + rest.k, rest.r, run.far);
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

  var run = Scale();
  for (var t = first; t < end; t++) {
    run = add(run, scaleOf(frames[place + t]));
  }
  runs[lane] = run;
  workgroupBarrier();

  run = Scale();
  for (var before = 0u; before < lane; before++) {
    let other = runs[before];
    run = add(run, Reduced(other.k, other.r));
    run.far += other.far;
  }
  for (var t = first; t < end; t++) {
    run = add(run, scaleOf(frames[place + t]));
    scales[place + t] = run;
  }
}
