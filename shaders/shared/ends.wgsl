// The sum over all paths, for the step strategy: in the two states in which a path may end.

@group(0) @binding(5) var<storage, read> ends: array<Extended>;

/// A lane's part of the sum.
fn pathsOf(sequence: Sequence, part: u32, lane: u32) -> Extended {
  if (lane != 0u) { return NOTHING; }
  var label = NOTHING;
  if (sequence.targetLength > 0u) { label = ends[2u * part + 1u]; }
  return sum3(ends[2u * part], label, NOTHING);
}

fn shareOut(sequence: Sequence, part: u32, lane: u32, total: Total) {}
