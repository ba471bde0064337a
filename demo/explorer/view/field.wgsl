// The values of one layer for every cell, and their largest over 2, 4, 8, … frames, so that zoomed out no peak is lost.
//
//   level 0   . . . 9 . . . 2      one value a frame, a row for each state
//   level 1    .   9   .   2       the larger of two
//   level 2      9       2
//
// Put behind the snippet that the library gives for its kept lattice, bind group 0.

struct Shape { frames: u32, states: u32, classes: u32, status: u32, fromAt: u32, toAt: u32, length: u32 }

@group(1) @binding(0) var<uniform> shape: Shape;
@group(1) @binding(1) var<storage, read> scores: array<u32>;     // log-probabilities, or gradients, [T, C]; posteriors before the edits, [T, S]
@group(1) @binding(2) var<storage, read_write> largest: array<f32>; // of a frame
@group(1) @binding(3) var<storage, read_write> field: array<f32>;

/// Beyond all values: no number, and no path.
const NOT_A_NUMBER = 1e30;
const IMPOSSIBLE = -1e30;
const NO_PATH = 1u;
const INVALID = 2u;

/// Whether a path passes: from the start to here, and from here to the end.
fn isPossible(t: u32, s: u32) -> bool {
  return shape.status != NO_PATH && alphaLog(0u, t, s) > -1e38 && betaLog(0u, t, s) > -1e38;
}

fn stateLog(t: u32, s: u32) -> f32 {
  if (LAYER == ALPHA) { return alphaLog(0u, t, s); }
  return betaLog(0u, t, s);
}

/// alpha and beta are shown beside the largest of their frame, of those that can reach both ends.
@compute @workgroup_size(64) fn largestOfFrame(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.frames) { return; }
  var most = -3.4e38;
  for (var s = 0u; s < shape.states; s++) {
    if (isPossible(id.x, s)) { most = max(most, stateLog(id.x, s)); }
  }
  largest[id.x] = most;
}

fn valueOf(t: u32, s: u32) -> f32 {
  if (LAYER == PROBABILITY || LAYER == GRADIENT) {
    let bits = scores[t * shape.classes + ctcClass(0u, s)];
    if ((bits & 0x7fffffffu) > 0x7f800000u) { return NOT_A_NUMBER; }
    if (LAYER == GRADIENT) { return bitcast<f32>(bits) / largest[0]; }
    return exp(max(bitcast<f32>(bits), -87.0));
  }
  if (shape.status == INVALID) { return NOT_A_NUMBER; }
  if (!isPossible(t, s)) { return IMPOSSIBLE; }
  if (LAYER == POSTERIOR) { return posterior(0u, t, s); }
  if (LAYER == CHANGE) { return posterior(0u, t, s) - bitcast<f32>(scores[t * shape.states + s]); }
  return exp(max(stateLog(t, s) - largest[t], -87.0));
}

@compute @workgroup_size(64) fn level0(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.frames) { return; }
  field[id.y * shape.frames + id.x] = valueOf(id.x, id.y);
}

/// The one that is seen: of two values the one farther from zero, a path before none.
fn louder(a: f32, b: f32) -> f32 {
  if (a == IMPOSSIBLE) { return b; }
  if (b == IMPOSSIBLE) { return a; }
  return select(b, a, abs(a) >= abs(b));
}

@compute @workgroup_size(64) fn nextLevel(@builtin(global_invocation_id) id: vec3u) {
  let half = (shape.length + 1u) / 2u;
  if (id.x >= half) { return; }
  let start = shape.fromAt + id.y * shape.length + 2u * id.x;
  var value = field[start];
  if (2u * id.x + 1u < shape.length) { value = louder(value, field[start + 1u]); }
  field[shape.toAt + id.y * half + id.x] = value;
}
