// How sweeps from both ends lay out time: they meet in the middle frame of each sequence.
//
//   frame     0   1   2   3   4   5   6        T_n = 7
//   sweep 0   0   1   2   3                    steps; the last is at the middle frame
//   sweep 1               3   2   1   0        sees time and labels reversed: the same kernels run both
//
// A row of the lattice belongs to a step of a sweep.

fn middleOf(sequence: Sequence) -> u32 { return (max(sequence.inputLength, 1u) - 1u) / 2u; }
fn sweepOf(sequence: Sequence, t: u32) -> u32 { return u32(t > middleOf(sequence)); }
fn stepOf(sequence: Sequence, sweep: u32, t: u32) -> u32 { return select(t, sequence.inputLength - 1u - t, sweep == 1u); }
fn isMiddle(sequence: Sequence, t: u32) -> bool { return t == middleOf(sequence); }
fn lastStep(sequence: Sequence, sweep: u32) -> u32 { return stepOf(sequence, sweep, middleOf(sequence)); }

/// The slice of steps that is in memory.
fn isHeld(k: u32) -> bool { return k - problem.emissionFrame < problem.emissionRows; }

/// Where a label of the sequence is in a sweep's order.
fn placeIn(sweep: u32, sequence: Sequence, i: u32) -> u32 {
  return select(i, sequence.targetLength - 1u - i, sweep == 1u);
}

fn sweepRow(part: u32, sweep: u32) -> u32 { return 2u * part + sweep; }

/// In vectors of four words.
fn stepRow(part: u32, sweep: u32, k: u32) -> u32 {
  return alphaRow(sweepRow(part, sweep), k) / 2u;
}
