const REGULAR = 0u;
const INFEASIBLE = 1u;
const INVALID = 2u;

/// What is known of a sequence once its forward pass is done. Z = z · 2^k · e^(near + far) of the frames' scales.
struct Total {
  z: Extended,   // sum over all paths, in the units of the frames
  k: i32,
  near: Fixed,   // of scales less than 1, whose multiples of ln 2 are in k
  far: f32,      // of the scales of scores too large for that, in units of 2^20: no sum of them overflows
  status: u32,
  loss: u32,     // bits of a float32
  weight: f32,   // of the loss in the reduction
}
