// For each (t, n), by a workgroup or by one invocation: the class of the largest score, the first of several, and its
// log-probability. A row with a NaN or, among logits, +Infinity has no answer.

@group(0) @binding(5) var<storage, read_write> labels: array<u32>;
@group(0) @binding(6) var<storage, read_write> labelScores: array<u32>;

const LARGEST_FINITE_KEY = 0xff7fffffu;

/// In the order of what counts: a zero with a sign is one without, and no probability is a number below zero.
fn keyOf(bits: u32) -> u32 {
  if (isNegative(bits)) { return orderKey(NAN); }
  return orderKey(select(bits, 0u, bits == 0x80000000u));
}

/// Key and class of the first of a lane's largest scores, and how many are as large.
fn bestOfLane(lane: u32, start: u32) -> vec3u {
  var best = vec3u(0u, NO_LABEL, 0u);
  for (var v = lane; 4u * v < problem.classes; v += LANES) {
    let bits = fourOfRow(v, start);
    for (var j = 0u; j < 4u; j++) {
      let key = keyOf(bits[j]);
      if (key > best.x) { best = vec3u(key, 4u * v + j, 0u); }
      best.z += u32(key == best.x);
    }
  }
  return best;
}

@compute @workgroup_size(WORKGROUP)
fn greedy(@builtin(workgroup_id) group: vec3u, own: Lane) {
  let lane = laneOf(own.index);
  let t = problem.boxFrame + frameOf(group.x, own.index);
  let n = problem.boxSequence + group.y;
  let sequence = sequenceAt(n);
  let row = windowRow(t, n);
  if (t >= problem.boxEnd || row >= problem.rowCount) { return; }
  let place = n * problem.frames + t;
  if (t >= sequence.inputLength) {
    if (lane == 0u) {
      labels[place] = NO_LABEL;
      labelScores[place] = 0u;
    }
    return;
  }
  let start = integer + row * problem.classes;
  var seen = Seen();
  if (LOGITS) { seen = laneOfRow(lane, start); }
  var best = vec3u(seen.key, 4u * seen.place, 0u);
  if (!LOGITS || seen.key == orderKey(LOWEST_BITS)) {
    best = bestOfLane(lane, start);
    seen.equal = select(0.0, f32(best.z), best.x == seen.key);
  } else {
    let x = finite(fourOfRow(seen.place, start));
    for (var j = 0u; j < 3u && x[j] != seen.largest; j++) { best.y++; }
  }
  let key = largestOf(lane, best.x);
  let first = ~largestOf(lane, select(0u, ~best.y, best.x == key));
  let bits = fromOrderKey(key);
  // the class was chosen by the probabilities themselves: of two that hardly differ the logarithms may be equal
  var score = bits;
  if (PROBS) { score = lnBits(bits); }
  var none = key > orderKey(INFINITY) || (LOGITS && (key > LARGEST_FINITE_KEY || bits == MINUS_INFINITY));
  if (LOGITS) {
    let sum = sumOfRow(lane, seen, key);
    score = bitcast<u32>(-ln1p(max((sum.y - 1.0) + sum.x, 0.0)));
  }
  if (lane == 0u) {
    labels[place] = select(first, NO_LABEL, none);
    labelScores[place] = select(score, NAN, none);
  }
}
