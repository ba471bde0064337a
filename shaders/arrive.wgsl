// One workgroup for each sequence: where its best path ends, once every frame has been walked.
//
//   the last blank if it costs less than the last label, else the label, as torchaudio's forced_align

@group(0) @binding(4) var<storage, read> frames: array<Frame>;
@group(0) @binding(5) var<storage, read> stateCosts: array<vec4u>;
@group(0) @binding(8) var<storage, read_write> ends: array<u32>;

/// Low and high word of what a state costs.
fn costOf(part: u32, s: u32) -> vec2u {
  let pair = s / 2u;
  let place = part * problem.pairs + pair - pair % 4u + 2u * (s % 2u);
  return vec2u(stateCosts[place][pair % 4u], stateCosts[place + 1u][pair % 4u]);
}

@compute @workgroup_size(WORKGROUP)
fn arrive(@builtin(workgroup_id) group: vec3u, own: Lane) {
  let part = group.x;
  let sequence = sequenceAt(problem.firstSequence + part);
  var invalid = 0u;
  for (var t = own.index; t < sequence.inputLength; t += WORKGROUP) { invalid |= frames[framePlace(part, t)].invalid; }
  invalid = largestOf(own.index, invalid);
  if (own.index != 0u) { return; }
  var end = 2u * sequence.targetLength;
  var cost = vec2u(0u, UNREACHABLE);
  if (sequence.feasible && sequence.inputLength > 0u) {
    // with a frame for each label and none to spare, no path comes to the last blank
    if (sequence.targetLength < sequence.inputLength) { cost = costOf(part, end); }
    if (end > 0u) {
      let label = costOf(part, end - 1u);
      let blankIsLess = cost.y < label.y || (cost.y == label.y && cost.x < label.x);
      if (!blankIsLess) {
        end--;
        cost = label;
      }
    }
  }
  ends[part] = select(end, NO_END + invalid, invalid != 0u || cost.y >= UNREACHABLE);
}
