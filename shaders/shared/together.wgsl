// A workgroup shares a row: for many classes. Its other forms are butterfly.wgsl and alone.wgsl.
//
// Reductions go in a fixed order, so the bits are the same at every run:
//
//   lane  0 1 2 3 4 5 6 7
//         0+4 1+5 2+6 3+7
//         0+2 1+3
//         0+1                 every lane gets the result

struct Lane { @builtin(local_invocation_index) index: u32 }

const LANES = WORKGROUP;

fn frameOf(group: u32, index: u32) -> u32 { return group; }
fn laneOf(index: u32) -> u32 { return index; }

/// No compiler knows it: unrolled, each tree would take another 50 ms to compile on lavapipe.
fn halfOfLanes() -> u32 { return WORKGROUP / 2u + problem.zero; }

var<workgroup> treeOfIntegers: array<u32, WORKGROUP>;
var<workgroup> treeOfFloats: array<vec2f, WORKGROUP>;

fn largestOf(lane: u32, v: u32) -> u32 {
  treeOfIntegers[lane] = v;
  for (var width = halfOfLanes(); width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { treeOfIntegers[lane] = max(treeOfIntegers[lane], treeOfIntegers[lane + width]); }
  }
  return workgroupUniformLoad(&treeOfIntegers[0]);
}

fn sumOf(lane: u32, v: vec2f) -> vec2f {
  treeOfFloats[lane] = v;
  for (var width = halfOfLanes(); width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { treeOfFloats[lane] += treeOfFloats[lane + width]; }
  }
  return workgroupUniformLoad(&treeOfFloats[0]);
}
