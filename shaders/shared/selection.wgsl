// Of many keys the `WIDTH` largest, by their digits from the highest on. Each round counts how many of those that begin like the edge have
// which digit; the edge goes on with the digit among whose keys the last one lies that is kept. Small digits: all lanes wait for the one that
// looks through the counts, and on a CPU each count costs more than the barriers of more rounds.

const DIGIT_BITS = 4i;
const DIGITS = 16u;
var<workgroup> histogram: array<atomic<u32>, DIGITS>;
/// Keys above it are kept, and `edgeCount` of those that are equal to it, of which there are `edgeKeys`.
var<workgroup> edge: u32;
var<workgroup> edgeCount: u32;
var<workgroup> edgeKeys: u32;

/// A key of 0 is none, and is kept nowhere.
fn findEdge(lane: u32, count: u32) {
  if (lane == 0u) {
    edge = 0u;
    edgeCount = WIDTH;
  }
  for (var shift = 32i - DIGIT_BITS; shift >= 0i; shift -= DIGIT_BITS) {
    for (var i = lane; i < DIGITS; i += WORKGROUP) { atomicStore(&histogram[i], 0u); }
    workgroupBarrier();
    let known = edge;
    let mask = select(0xffffffffu << u32(shift + DIGIT_BITS), 0u, shift == 32i - DIGIT_BITS);
    for (var i = lane; i < count; i += WORKGROUP) {
      let key = keyAt(i);
      if (key != 0u && (key & mask) == known) { atomicAdd(&histogram[(key >> u32(shift)) & (DIGITS - 1u)], 1u); }
    }
    workgroupBarrier();
    if (lane == 0u) {
      var wanted = edgeCount;
      var bin = DIGITS - 1u;
      var there = atomicLoad(&histogram[bin]);
      while (bin > 0u && there < wanted) {
        wanted -= there;
        bin--;
        there = atomicLoad(&histogram[bin]);
      }
      edgeKeys = there;
      edge = known | (bin << u32(shift));
      edgeCount = wanted;
    }
    workgroupBarrier();
  }
}
