// Lanes hand over through workgroup memory, one barrier a step: what is read at a step is written over two
// steps later, when every lane has passed the barrier between. The other form of subgroup.wgsl.

struct Lane { @builtin(local_invocation_index) index: u32 }

var<workgroup> handed: array<vec2u, 2u * LANES>;

fn fromLeft(k: u32, lane: u32, v: vec2u) -> vec2u {
  let half = (k % 2u) * LANES;
  handed[half + lane] = v;
  workgroupBarrier();
  return handed[half + (lane + LANES - 1u) % LANES];
}

fn fromRight(k: u32, lane: u32, v: f32) -> f32 {
  let half = (k % 2u) * LANES;
  handed[half + lane].x = bitcast<u32>(v);
  workgroupBarrier();
  return bitcast<f32>(handed[half + (lane + 1u) % LANES].x);
}

fn betweenBlocks() { workgroupBarrier(); }
