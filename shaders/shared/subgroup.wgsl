// A workgroup is one subgroup: lanes hand over by shuffles. Its other form is workgroup.wgsl.

struct Lane { @builtin(subgroup_invocation_id) index: u32 }

fn fromLeft(k: u32, lane: u32, v: vec2f) -> vec2f { return subgroupShuffleUp(v, 1u); }
fn fromRight(k: u32, lane: u32, v: f32) -> f32 { return subgroupShuffleDown(v, 1u); }
