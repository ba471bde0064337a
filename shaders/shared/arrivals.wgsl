// The sum over all paths where sweeps meet: over the states of the middle frame. The other form of
// ends.wgsl: the same functions.

@group(0) @binding(5) var<storage, read> states: array<u32>;
@group(0) @binding(7) var<storage, read_write> posteriors: array<f32>;

/// Where a state lies in rows whose vectors of four pairs hold blanks, then labels, `width` vectors apart.
fn stateAt(row: u32, s: u32, width: u32) -> u32 {
  let pair = s / 2u;
  return 4u * width * (2u * ((row * problem.pairs + pair) / 4u) + s % 2u) + pair % 4u;
}

fn arrival(sequence: Sequence, row: u32, s: u32) -> Extended {
  if (!inBand(sequence, s / 2u, lastStep(sequence, row % 2u))) { return NOTHING; }
  let place = stateAt(row, s, 2u); // mantissas, then exponents
  return Extended(bitcast<f32>(states[place]), bitcast<i32>(states[place + 4u]));
}

/// Alpha times beta: state s of sweep 0 is state 2S − s of sweep 1, which arrives without the frame's emission.
fn pathsThrough(sequence: Sequence, part: u32, s: u32) -> Extended {
  return product(arrival(sequence, 2u * part, s), arrival(sequence, 2u * part + 1u, 2u * sequence.targetLength - s));
}

/// A lane's part of the sum over all paths: at the middle frame each is in one state.
fn pathsOf(sequence: Sequence, part: u32, lane: u32) -> Extended {
  var sum = NOTHING;
  for (var s = lane; s <= 2u * sequence.targetLength; s += WORKGROUP) {
    sum = sum3(sum, pathsThrough(sequence, part, s), NOTHING);
  }
  return sum;
}

/// The posterior at the middle frame, in the order of each sweep: where spread.wgsl starts.
fn shareOut(sequence: Sequence, part: u32, lane: u32, total: Total) {
  let last = 2u * sequence.targetLength;
  let some = sequence.inputLength > 0u && total.status == REGULAR;
  for (var s = lane; STORE && s < 2u * problem.pairs; s += WORKGROUP) {
    var share = 0.0;
    if (some && s <= last) {
      let paths = pathsThrough(sequence, part, s);
      share = paths.m / total.z.m * powerOfTwo(clamp(paths.e - total.z.e, -127, 127));
    }
    posteriors[stateAt(2u * part, s, 1u)] = share;
    posteriors[stateAt(2u * part + 1u, select(s, last - s, s <= last), 1u)] = share;
  }
}
