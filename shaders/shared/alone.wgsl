// One invocation has a row to itself: for few classes, where barriers would cost more than the work.
// The other form of together.wgsl: the same functions, and no barrier.

struct Lane { @builtin(local_invocation_index) index: u32 }

const LANES = 1u;

fn frameOf(group: u32, index: u32) -> u32 { return group * WORKGROUP + index; }
fn laneOf(index: u32) -> u32 { return 0u; }
fn largestOf(lane: u32, v: u32) -> u32 { return v; }
fn sumOf(lane: u32, v: vec2f) -> vec2f { return v; }
