// A subgroup shares a row: together.wgsl without a barrier, where a workgroup is one subgroup.
//
//   lane  0 1 2 3 4 5 6 7
//         0+1 1+0 2+3 3+2 …      each adds its neighbour's, then that of its neighbours' neighbours:
//         01+23   23+01   …      every lane gets the same bits, since a + b is b + a

struct Lane { @builtin(subgroup_invocation_id) index: u32 }

const LANES = WORKGROUP;

fn frameOf(group: u32, index: u32) -> u32 { return group; }
fn laneOf(index: u32) -> u32 { return index; }

fn largestOf(lane: u32, v: u32) -> u32 { return subgroupMax(v); }

fn sumOf(lane: u32, v: vec2f) -> vec2f {
  var sum = v;
  for (var distance = 1u; distance < LANES; distance *= 2u) { sum += subgroupShuffleXor(sum, distance); }
  return sum;
}
