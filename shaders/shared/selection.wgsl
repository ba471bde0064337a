// Of many keys the `WIDTH` largest, ties by their order, and the place of each among those: the same at every run.

var<workgroup> histogram: array<atomic<u32>, 256>;
var<workgroup> above: array<u32, WORKGROUP>;
var<workgroup> equal: array<u32, WORKGROUP>;
/// The key from which on keys are kept, how many that are equal to it are, and what is still to be found of it.
var<workgroup> edge: u32;
var<workgroup> edgeCount: u32;
var<workgroup> least: atomic<u32>;
var<workgroup> largest: atomic<u32>;

/// Keys of what a lane has, from `first` to before `end`; 0 is none. Makes `edge` and `edgeCount`.
fn findEdge(lane: u32, count: u32) {
  if (lane == 0u) {
    edge = 0u;
    edgeCount = WIDTH;
  }
  for (var shift = 24i; shift >= 0i; shift -= 8i) {
    workgroupBarrier();
    for (var i = lane; i < 256u; i += WORKGROUP) { atomicStore(&histogram[i], 0u); }
    workgroupBarrier();
    let known = edge;
    let mask = select(0xffffffffu << u32(shift + 8i), 0u, shift == 24i);
    for (var i = lane; i < count; i += WORKGROUP) {
      let key = keyAt(i);
      if (key != 0u && (key & mask) == known) { atomicAdd(&histogram[(key >> u32(shift)) & 255u], 1u); }
    }
    workgroupBarrier();
    if (lane == 0u) {
      var wanted = edgeCount;
      var bin = 255u;
      for (; bin > 0u; bin--) {
        let there = atomicLoad(&histogram[bin]);
        if (there >= wanted) { break; }
        wanted -= there;
      }
      edge = known | (bin << u32(shift));
      edgeCount = wanted;
    }
  }
  workgroupBarrier();
}

/// How many keys of lanes before this one are kept, where each has an equal share of them, in order.
fn keptBefore(lane: u32, first: u32, end: u32) -> vec2u {
  var mine = vec2u();
  for (var i = first; i < end; i++) {
    let key = keyAt(i);
    mine += vec2u(u32(key > edge), u32(key == edge && key != 0u));
  }
  above[lane] = mine.x;
  equal[lane] = mine.y;
  workgroupBarrier();
  var before = vec2u();
  for (var i = 0u; i < lane; i++) { before += vec2u(above[i], equal[i]); }
  return before;
}
