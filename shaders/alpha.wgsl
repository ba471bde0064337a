// A frame of the forward variable, for all sequences and states: Graves et al. 2006, equations 6 and 7.
//
//   t−1    blank_i   label_i−1        alpha(t, blank_i) = (blank_i + label_i−1) · emission of the blank
//             │ ╲   ╱ │
//   t      blank_i  label_i           alpha(t, label_i) = (label_i + blank_i + label_i−1 if it may be skipped to)
//                                                          · emission of label i
// One invocation owns one pair. The frame before is a row of the same buffer. Where a workgroup holds a whole row it walks
// `segment` of them, with a barrier after each.

@group(0) @binding(4) var<storage, read> emissions: array<Extended>;
@group(0) @binding(5) var<storage, read_write> lattice: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> ends: array<Extended>;

fn pairAt(sequence: Sequence, place: u32, i: u32, t: u32) -> Pair {
  if (!inBand(sequence, i, t)) { return Pair(NOTHING, NOTHING); }
  return unpack(lattice[place + i]);
}

fn forward(sequence: Sequence, part: u32, i: u32, t: u32) {
  let labels = sequence.targetLength;
  if (t >= sequence.inputLength || i > labels) { return; }

  var now = Pair(NOTHING, NOTHING);
  if (inBand(sequence, i, t)) {
    let emission = emissionRow(part, t);
    var own = Pair(NOTHING, NOTHING);
    var left = NOTHING;
    if (t == 0u) {
      // the start, as if a path stood before pair 0
      own.blank = ONE;
    } else {
      let before = alphaRow(part, t - 1u);
      own = pairAt(sequence, before, i, t - 1u);
      if (i > 0u) { left = pairAt(sequence, before, i - 1u, t - 1u).label; }
    }
    now.blank = product(sum3(own.blank, left, NOTHING), emissions[emission]);
    if (i < labels) {
      if (!maySkip(sequence, i)) { left = NOTHING; }
      now.label = product(sum3(own.label, own.blank, left), emissions[emission + slotAt(sequence, i)]);
    }
    lattice[alphaRow(part, t) + i] = pack(now);
  }
  if (t + 1u == sequence.inputLength) {
    if (i == labels) { ends[2u * part] = now.blank; }
    if (i + 1u == labels) { ends[2u * part + 1u] = now.label; }
  }
}

@compute @workgroup_size(WORKGROUP)
fn alpha(@builtin(global_invocation_id) id: vec3u) {
  let sequence = sequenceAt(problem.firstSequence + id.y);
  let first = problem.boxFrame + problem.segment * integer;
  let end = min(first + problem.segment, problem.boxEnd);
  for (var t = first; t < end; t++) {
    forward(sequence, id.y, id.x, t);
    if (SEVERAL) { storageBarrier(); }
  }
}
