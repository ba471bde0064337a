// Of many keys the `WIDTH` largest, by their digits of eight bits from the highest on. Each round counts how many of those that begin like the
// edge have which digit; the edge goes on with the digit among whose keys the last one lies that is kept.

var<workgroup> histogram: array<atomic<u32>, 256>;
/// Keys above it are kept, and `edgeCount` of those that are equal to it.
var<workgroup> edge: u32;
var<workgroup> edgeCount: u32;

/// A key of 0 is none, and is kept nowhere.
fn findEdge(lane: u32, count: u32) {
  if (lane == 0u) {
    edge = 0u;
    edgeCount = WIDTH;
  }
  for (var shift = 24i; shift >= 0i; shift -= 8i) {
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
    workgroupBarrier();
  }
}
