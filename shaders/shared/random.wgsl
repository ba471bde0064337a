/// In place of a state or a class: no path has a probability above zero, or a score is not a number.
const NO_PATH = 0xffffffffu;

// What is decided by a random number at a frame of a sweep: whether a path stayed in its label, whether it came from the left,
// and once for each sample, in which state of the middle frame it is.
const STAYED = 0u;
const FROM_LEFT = 1u;
const STATE = 2u;

/// Numbers in [0, 1) for these decisions. No state is kept: seed, sequence, sample and step decide, by a hash of four words
/// (PCG4D, Jarzynski and Olano 2020, with another round, without which the highest bit of the seed reaches little). The two sweeps meet in one frame and must not decide by the same number there, or what a
/// path does before the middle would tell what it does after it.
fn randomOf(seed: u32, n: u32, sample: u32, sweep: u32, t: u32) -> vec4f {
  var v = vec4u(seed, n, sample, 2u * t + sweep) * 1664525u + 1013904223u;
  v = mixed(v);
  for (var round = 0u; round < 2u; round++) { v = mixed(v ^ (v >> vec4u(16u))); }
  // the 24 leading bits: what is unlikely is drawn as seldom as it should be, down to 2^−32, and 1 is never reached
  let spare = 8u - min(countLeadingZeros(v), vec4u(8u));
  return vec4f((v >> spare) << spare) * 2.3283064e-10;
}

fn mixed(v: vec4u) -> vec4u {
  let x = v.x + v.y * v.w;
  let y = v.y + v.z * x;
  let z = v.z + x * y;
  return vec4u(x, y, z, v.w + y * z);
}
