// Posteriors as spread.wgsl leaves them, in vectors of four pairs: a row starts with the vectors of the
// labels, then come those whose first component sums the blanks of its four pairs.

fn posteriorRow(part: u32, sequence: Sequence, t: u32) -> u32 {
  let sweep = sweepOf(sequence, t);
  return stepRow(part, sweep, stepOf(sequence, sweep, t));
}

fn posteriorsOf(row: u32, sequence: Sequence, t: u32, q: u32) -> vec2f {
  let labels = bitcast<vec4f>(lattice[row + q]);
  return vec2f(bitcast<f32>(lattice[row + problem.pairs / 4u + q].x), (labels.x + labels.y) + (labels.z + labels.w));
}

fn labelPosterior(row: u32, sequence: Sequence, t: u32, i: u32) -> f32 {
  let place = placeIn(sweepOf(sequence, t), sequence, i);
  return bitcast<f32>(lattice[row + place / 4u][place % 4u]);
}
