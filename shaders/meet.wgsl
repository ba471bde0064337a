// The posterior at the middle frame, where both sweeps have arrived: alpha · beta / Z, in the order of
// each sweep. Sweep 1 arrives without the emission of the frame.

@group(0) @binding(4) var<storage, read> totals: array<Total>;
@group(0) @binding(6) var<storage, read_write> posteriors: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn meet(@builtin(global_invocation_id) id: vec3u) {
  let pair = id.x;
  let row = id.y;
  let n = problem.firstSequence + row / 2u;
  let sequence = sequenceAt(n);
  if (pair >= problem.pairs) { return; }
  var blank = 0.0;
  var label = 0.0;
  if (sequence.inputLength > 0u && totals[n].status == REGULAR) {
    let z = totals[n].z;
    let labels = sequence.targetLength;
    let other = row ^ 1u;
    if (pair <= labels) { blank = share(product(blankAt(sequence, row, pair), blankAt(sequence, other, labels - pair)), z); }
    if (pair < labels) { label = share(product(labelAt(sequence, row, pair), labelAt(sequence, other, labels - 1u - pair)), z); }
  }
  let place = 2u * (row * problem.pairs + pair / 4u * 4u) + pair % 4u;
  posteriors[place] = blank;
  posteriors[place + 4u] = label;
}

fn share(part: Extended, whole: Extended) -> f32 {
  return part.m / whole.m * powerOfTwo(clamp(part.e - whole.e, -127, 127));
}
