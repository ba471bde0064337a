// For each (t, n), by a workgroup or by one invocation: the classes of the largest scores, descending, the first of equal ones first, and
// their log-probabilities, and always the blank, with which a text stays as it is. NO_LABEL behind the last that is likely enough; at once in a row
// with a NaN or, among logits, +Infinity.

@group(0) @binding(5) var<storage, read_write> topLabels: array<u32>;
@group(0) @binding(6) var<storage, read_write> topScores: array<u32>;

const LARGEST_FINITE_KEY = 0xff7fffffu;

/// In the order of what counts: a zero with a sign is one without, and no probability is a number below zero.
fn keyOf(bits: u32) -> u32 {
  if (isNegative(bits)) { return orderKey(NAN); }
  return orderKey(select(bits, 0u, bits == 0x80000000u));
}

/// Key and class of the first of a lane's largest scores among those that come after one in that order, of which this is the key and the next class.
fn nextOfLane(lane: u32, start: u32, after: vec2u) -> vec2u {
  var best = vec2u(0u, NO_LABEL);
  for (var c = lane; c < problem.classes; c += LANES) {
    let key = keyOf(scoreBits(start + c));
    if ((key < after.x || (key == after.x && c >= after.y)) && key > best.x) { best = vec2u(key, c); }
  }
  return best;
}

fn logOf(bits: u32, largest: f32, lnNormaliser: f32) -> u32 {
  var score = bits;
  if (PROBS) { score = lnBits(score); }
  return scoreOf(score, largest, lnNormaliser);
}

@compute @workgroup_size(WORKGROUP)
fn prune(@builtin(workgroup_id) group: vec3u, own: Lane) {
  let lane = laneOf(own.index);
  let t = problem.boxFrame + frameOf(group.x, own.index);
  let n = problem.boxSequence + group.y;
  let sequence = sequenceAt(n);
  let row = windowRow(t, n);
  if (t >= problem.boxEnd || row >= problem.rowCount || t >= sequence.inputLength) { return; }
  let place = framePlace(n - problem.firstSequence, t) * TOPS;
  let start = integer + row * problem.classes;
  var seen = Seen();
  if (LOGITS) { seen = laneOfRow(lane, start); }
  let highest = largestOf(lane, select(nextOfLane(lane, start, vec2u(0xffffffffu, 0u)).x, seen.key, LOGITS));
  let largest = bitcast<f32>(fromOrderKey(highest));
  var lnNormaliser = 0.0;
  if (LOGITS) {
    let sum = sumOfRow(lane, seen, highest);
    lnNormaliser = ln1p(max((sum.y - 1.0) + sum.x, 0.0));
  }
  let none = highest >= orderKey(INFINITY) || (LOGITS && highest > LARGEST_FINITE_KEY);
  var after = vec2u(0xffffffffu, 0u);
  var listed = 0u;
  var hasBlank = none || TOPS == 1u;
  for (var i = 0u; i < TOPS; i++) {
    let best = nextOfLane(lane, start, after);
    let key = largestOf(lane, best.x);
    let first = ~largestOf(lane, select(0u, ~best.y, best.x == key));
    after = vec2u(key, first + 1u);
    let score = logOf(fromOrderKey(key), largest, lnNormaliser);
    let isLikely = score != MINUS_INFINITY && key > 0u && (i == 0u || bitcast<f32>(score) >= bitcast<f32>(LEAST_TOKEN));
    if (lane == 0u) {
      topLabels[place + i] = select(NO_LABEL, first, isLikely && !none);
      topScores[place + i] = select(LOWEST_BITS, score, isLikely && !none);
    }
    listed += u32(isLikely);
    hasBlank |= isLikely && first == problem.blank;
  }
  let score = logOf(scoreBits(start + problem.blank), largest, lnNormaliser);
  if (lane == 0u && !hasBlank && score != MINUS_INFINITY) {
    topLabels[place + min(listed, TOPS - 1u)] = problem.blank;
    topScores[place + min(listed, TOPS - 1u)] = score;
  }
}
