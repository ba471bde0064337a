// Posteriors as the step strategy leaves them: each pair in the place of its alphas. The other form of
// quads.wgsl: the same functions.

fn posteriorRow(part: u32, sequence: Sequence, t: u32) -> u32 {
  return alphaRow(part, t);
}

/// Pairs 4q to 4q + 3: the sum of their blanks, and that of their labels.
fn posteriorsOf(row: u32, sequence: Sequence, t: u32, q: u32) -> vec2f {
  var sum = vec2f();
  for (var i = 4u * q; i < 4u * q + 4u; i++) {
    if (inBand(sequence, i, t)) {
      let pair = lattice[row + i];
      sum += vec2f(bitcast<f32>(pair.x), bitcast<f32>(pair.z));
    }
  }
  return sum;
}

fn labelPosterior(row: u32, sequence: Sequence, t: u32, i: u32) -> f32 {
  return bitcast<f32>(lattice[row + i].z);
}
