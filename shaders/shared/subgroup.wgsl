// A workgroup is one subgroup, and its lanes hand over by shuffles. Its other form is workgroup.wgsl.

struct Lane { @builtin(subgroup_invocation_id) index: u32 }

/// The value of the lane to the left; lane 0 gets that of the last.
fn fromLeft(k: u32, lane: u32, v: vec2u) -> vec2u { return subgroupShuffle(v, (lane + LANES - 1u) % LANES); }
/// The value of the lane to the right; the last lane gets that of lane 0.
fn fromRight(k: u32, lane: u32, v: f32) -> f32 { return subgroupShuffle(v, (lane + 1u) % LANES); }
fn betweenBlocks() {}
