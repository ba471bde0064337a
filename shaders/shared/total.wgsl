const REGULAR = 0u;
const INFEASIBLE = 1u;
const INVALID = 2u;

/// What is known of a sequence once its forward pass is done.
struct Total {
  z: Extended,     // sum over all paths, in the units of the frames
  scale: Reduced,  // ln of the product of these units
  status: u32,
  loss: u32,       // bits of a float32
  weight: f32,     // of the loss in the reduction
  padding: u32,
}
