/// In place of a state or a class: no path has a probability above zero, or a score is not a number.
const NO_PATH = 0xffffffffu;

/// A number in [0, 1) that only these five decide: a counter is hashed (PCG, Jarzynski and Olano 2020), no state is kept.
fn randomOf(seed: u32, n: u32, sample: u32, t: u32, which: u32) -> f32 {
  return f32(hashed(hashed(hashed(hashed(seed) + n) + sample) + 4u * t + which) >> 8u) * 5.9604645e-8;
}

fn hashed(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}
