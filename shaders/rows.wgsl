// For each (t, n), by a workgroup or by one invocation: the scores of a frame become emissions.
//
//   scores      -1.2  -0.1  -7.3  -2.0  …  C classes        log-probabilities, or logits
//   unit        e^(-0.1)                                    of the largest that counts
//   emissions   0.33  1  7e-4  …                            of the blank and of each distinct label
//
// What counts: for log-probabilities the blank and the distinct labels of the sequence, a gather each;
// for logits the whole row, whose normaliser Σ exp(logit) is found here too and never stored per class. Where a star is among the
// targets, all classes count.

@group(0) @binding(4) var<storage, read_write> frames: array<Frame>;
@group(0) @binding(5) var<storage, read_write> emissions: array<Emission>;

const LARGEST_FINITE_KEY = 0xff7fffffu;
const MINUS_INFINITY_KEY = 0x007fffffu;

@compute @workgroup_size(WORKGROUP)
fn rows(@builtin(workgroup_id) group: vec3u, own: Lane) {
  let lane = laneOf(own.index);
  let t = problem.boxFrame + frameOf(group.x, own.index);
  let n = problem.boxSequence + group.y;
  let sequence = sequenceAt(n);
  let row = windowRow(t, recordingOf(n));
  if (t >= min(problem.boxEnd, sequence.inputLength) || row >= problem.rowCount) { return; }
  let sweep = sweepOf(sequence, t);
  let step = stepOf(sequence, sweep, t);
  let other = stepOf(sequence, 1u, t);
  if (!isHeld(step) && !(isMiddle(sequence, t) && isHeld(other))) { return; }
  let start = integer + row * problem.classes;
  let heard = ARE_COSTS && hasStar(sequence);
  let slots = slotsOf(sequence) - u32(heard || TEXTS);
  let range = rangeOf(sequence);

  var seen = Seen(0.0, 0.0, 0.0, MINUS_INFINITY_KEY, 0u);
  if (LOGITS && !HEARD) {
    seen = laneOfRow(lane, start);
    if (seen.key == orderKey(LOWEST_BITS)) { seen.equal = countLowest(lane, start); }
  } else if (heard) {
    for (var c = lane; c < problem.classes; c += LANES) { seen.key = max(seen.key, orderKey(scoreAt(start + c))); }
  } else if (!HEARD) {
    for (var slot = lane; slot < slots; slot += LANES) {
      seen.key = max(seen.key, orderKey(scoreAt(start + classOf(sequence, slot))));
    }
    if (TEXTS) { seen.key = max(seen.key, orderKey(scoreAt(start + problem.delimiter))); }
  }
  let key = largestOf(lane, seen.key);
  let largest = bitcast<f32>(fromOrderKey(key));
  var none = key == MINUS_INFINITY_KEY;
  var others = 0.0;
  if (LOGITS && !HEARD) {
    let sum = sumOfRow(lane, seen, key);
    none = sum.y == 0.0;
    others = (sum.y - 1.0) + sum.x;
  }
  let invalid = key > LARGEST_FINITE_KEY || (LOGITS && none);
  if (invalid) { others = 0.0; }
  var frame = Frame(Reduced(), 0.0, 1.0 + others, ln1p(max(others, 0.0)), u32(invalid));
  if (!invalid && !none) {
    frame.unit = unitOf(largest, range);
    frame.largest = largest;
  }
  if (HEARD) { frame = heardFrame(n, t); }

  let part = n - problem.firstSequence;
  if (lane == 0u) { frames[framePlace(part, t)] = frame; }
  if (isHeld(step)) {
    if (ARE_COSTS && LOGITS && !areOrdinary(bitcast<u32>(largest), scoreAt(start + problem.blank))) {
      // far from the score of another class the differences of those that count would be lost
      var counted = select(MINUS_INFINITY_KEY, key, heard);
      for (var slot = 0u; slot < slots; slot++) { counted = max(counted, orderKey(scoreAt(start + classOf(sequence, slot)))); }
      frame.largest = bitcast<f32>(fromOrderKey(counted));
    }
    let place = emissionRow(sweepRow(part, sweep), step);
    var areFar = false;
    for (var slot = lane; slot < slots; slot += LANES) {
      let value = emission(scoreAt(start + classOf(sequence, slot)), frame, range);
      emissions[place + slot] = value;
      areFar |= mayBeFar(value, range);
    }
    if (areFar) { noteFar(part); }
    if (TEXTS && lane == 0u) {
      let blank = emission(scoreAt(start + problem.blank), frame, range);
      let delimiter = emission(scoreAt(start + problem.delimiter), frame, range);
      emissions[place + slots] = eitherEmission(blank, delimiter);
    }
    if (heard && lane == 0u) {
      emissions[place + slots] = NO_EMISSION;
      if (!none) { emissions[place + slots] = starEmission(orderKey(scoreAt(start + problem.blank)) == key); }
    }
    if (lane == 0u) { emissions[place + problem.distinct + 1u] = noEmission(frame); }
  }
  // at the middle the other sweep arrives without the emission, which is in this one
  if (isMiddle(sequence, t) && isHeld(other)) {
    let place = emissionRow(sweepRow(part, 1u), other);
    for (var slot = lane; slot < slots + u32(TEXTS); slot += LANES) { emissions[place + slot] = CERTAIN; }
    if (lane == 0u) { emissions[place + problem.distinct + 1u] = NO_EMISSION; }
  }
}
