// For each (t, n), by a workgroup or by one invocation: the scores of a frame become emissions.
//
//   scores      -1.2  -0.1  -7.3  -2.0  …  C classes        log-probabilities, or logits
//   unit        e^(-0.1)                                    of the largest that counts
//   emissions   0.33  1  7e-4  …                            of the blank and of the S_n labels
//
// What counts: for log-probabilities the blank and the labels of the sequence, S + 1 gathers; for
// logits the whole row, whose normaliser Σ exp(logit) is found here too and never stored per class.

@group(0) @binding(4) var<storage, read_write> frames: array<Frame>;
@group(0) @binding(5) var<storage, read_write> emissions: array<Extended>;

const LARGEST_FINITE_KEY = 0xff7fffffu;
const MINUS_INFINITY_KEY = 0x007fffffu;

/// Integers in the order of the floats; NaN of either sign above all.
fn orderKey(bits: u32) -> u32 {
  let key = bits ^ select(0x80000000u, 0xffffffffu, bits >> 31u == 1u);
  return select(key, 0xffffffffu, isNaN(bits));
}

fn fromOrderKey(key: u32) -> u32 {
  return key ^ select(0xffffffffu, 0x80000000u, key >> 31u == 1u);
}

@compute @workgroup_size(WORKGROUP)
fn rows(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let lane = laneOf(index);
  let t = problem.boxFrame + frameOf(group.x, index);
  let n = problem.boxSequence + group.y;
  let sequence = sequenceAt(n);
  let row = windowRow(t, n);
  if (t >= min(problem.boxEnd, sequence.inputLength) || row >= problem.rowCount) { return; }
  let start = integer + row * problem.classes;
  let labels = sequence.targetLength;
  let range = rangeOf(sequence);

  var key = select(orderKey(scoreBits(start + problem.blank)), MINUS_INFINITY_KEY, LOGITS);
  if (LOGITS) {
    for (var c = lane; c < problem.classes; c += LANES) { key = max(key, orderKey(scoreBits(start + c))); }
  } else {
    for (var i = lane; i < labels; i += LANES) {
      key = max(key, orderKey(scoreBits(start + labelAt(sequence, i))));
    }
  }
  let largest = largestOf(lane, key);
  let none = largest == MINUS_INFINITY_KEY;
  let invalid = largest > LARGEST_FINITE_KEY || (LOGITS && none);
  var unit = Reduced();
  if (!invalid && !none) { unit = unitOf(bitcast<f32>(fromOrderKey(largest)), range); }

  var frame = Frame(NOTHING, unit, 1.0, 0.0, u32(invalid), 0u);
  if (LOGITS && !invalid) {
    // the largest are counted, the others summed: ln(1 + rest) keeps every digit of a confident frame
    var rest = vec2f(); // sum, count
    for (var c = lane; c < problem.classes; c += LANES) {
      let bits = scoreBits(start + c);
      if (orderKey(bits) == largest) {
        rest.y += 1.0;
      } else {
        let e = emission(bits, unit, range);
        rest.x += e.m * powerOfTwo(e.e);
      }
    }
    rest = sumOf(lane, rest);
    let others = (rest.y - 1.0) + rest.x;
    frame.normaliser = 1.0 + others;
    frame.lnNormaliser = ln1p(others);
  }

  let part = n - problem.firstSequence;
  let place = emissionRow(part, t);
  for (var i = lane; i < labels; i += LANES) {
    emissions[place + i] = emission(scoreBits(start + labelAt(sequence, i)), unit, range);
  }
  if (lane == 0u) {
    frame.blank = emission(scoreBits(start + problem.blank), unit, range);
    frames[framePlace(part, t)] = frame;
  }
}
