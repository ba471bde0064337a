// States of the sweeps at the middle frame.

@group(0) @binding(5) var<storage, read> states: array<u32>;

/// A state of four pairs' vectors: blank mantissas, blank exponents, label mantissas, label exponents.
fn arrival(sequence: Sequence, row: u32, pair: u32, vector: u32) -> Extended {
  if (!inBand(sequence, pair, lastStep(sequence, row % 2u))) { return NOTHING; }
  let place = 4u * (row * problem.pairs + pair / 4u * 4u + vector) + pair % 4u;
  return Extended(bitcast<f32>(states[place]), bitcast<i32>(states[place + 4u]));
}

fn blankAt(sequence: Sequence, row: u32, pair: u32) -> Extended { return arrival(sequence, row, pair, 0u); }
fn labelAt(sequence: Sequence, row: u32, pair: u32) -> Extended { return arrival(sequence, row, pair, 2u); }

/// A lane's part of the sum over all paths: at the middle frame each is in one state.
fn pathsOf(sequence: Sequence, part: u32, lane: u32) -> Extended {
  let labels = sequence.targetLength;
  var sum = NOTHING;
  for (var i = lane; i <= labels; i += WORKGROUP) {
    let blank = product(blankAt(sequence, 2u * part, i), blankAt(sequence, 2u * part + 1u, labels - i));
    var label = NOTHING;
    if (i < labels) {
      label = product(labelAt(sequence, 2u * part, i), labelAt(sequence, 2u * part + 1u, labels - 1u - i));
    }
    sum = sum3(sum, blank, label);
  }
  return sum;
}
