// How time is laid out without a middle: one sweep over all frames. The other form of middle.wgsl: the
// same functions.

fn sweepOf(sequence: Sequence, t: u32) -> u32 { return 0u; }
fn stepOf(sequence: Sequence, sweep: u32, t: u32) -> u32 { return t; }
fn isMiddle(sequence: Sequence, t: u32) -> bool { return false; }
fn isHeld(k: u32) -> bool { return true; }
fn lastStep(sequence: Sequence, sweep: u32) -> u32 { return sequence.inputLength - 1u; }
fn placeIn(sweep: u32, sequence: Sequence, i: u32) -> u32 { return i; }
fn sweepRow(part: u32, sweep: u32) -> u32 { return part; }
