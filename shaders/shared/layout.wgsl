// Where things lie. A lattice has a row of pairs for each frame; frame t is in row (t − origin) mod rows, so
// that a whole lattice, a slice of time and two rolling rows are addressed alike. `part` counts the
// sequences of the part that is in memory.

fn latticeRow(part: u32, t: u32, origin: i32, rows: u32) -> u32 {
  return (part * rows + u32(i32(t) - origin) % rows) * problem.pairs;
}

fn alphaRow(part: u32, t: u32) -> u32 { return latticeRow(part, t, problem.alphaFrame, problem.alphaRows); }
fn betaRow(part: u32, t: u32) -> u32 { return latticeRow(part, t, problem.betaFrame, problem.betaRows); }

/// Emissions of a frame, or of a step of a sweep: of the blank in slot 0, of each distinct label, and of what does not exist.
fn emissionRow(part: u32, t: u32) -> u32 {
  return (part * problem.emissionRows + t - problem.emissionFrame) * (problem.distinct + 2u);
}

fn framePlace(part: u32, t: u32) -> u32 {
  return part * problem.frames + t;
}

/// The row of (t, n) within the window of the caller's tensor; before or behind the window it is `rowCount` or more.
fn windowRow(t: u32, n: u32) -> u32 {
  return t * problem.frameStride + n * problem.sequenceStride - problem.firstRow;
}
