// For shaders of the caller's: reads kept lattices without knowing their number type.
// The struct CtcProblem stands before it: src/kernels/uniforms.ts. The record is that of shaders/shared/sequence.wgsl.

struct CtcScale { k: i32, r: f32, far: f32 }

/// Stands for −Infinity, which WGSL does not promise to keep.
const CTC_LOG_ZERO = -3.4028234e38;

fn ctcRecord(n: u32) -> u32 {
  return (n - ctcProblem.firstSequence) * ctcProblem.recordWords;
}

fn ctcInputLength(n: u32) -> u32 {
  return ctcTargets[ctcRecord(n)];
}

fn ctcTargetLength(n: u32) -> u32 {
  return ctcTargets[ctcRecord(n) + 1u];
}

/// The class of state s; the blank at even states.
fn ctcClass(n: u32, s: u32) -> u32 {
  if (s % 2u == 0u) { return ctcProblem.blank; }
  let slots = ctcRecord(n) + 4u;
  let slot = ctcTargets[slots + s / 2u] & 0x3fffffffu;
  return ctcTargets[slots + ctcProblem.labels + slot];
}

fn ctcFrame(n: u32, t: u32) -> u32 {
  return (n - ctcProblem.firstSequence) * ctcProblem.frames + t;
}

/// Where a state lies; −1 where no path passes: outside the band, or beyond the input length.
fn ctcPlace(n: u32, t: u32, s: u32, origin: i32, rows: u32) -> i32 {
  let length = 2u * ctcTargetLength(n) + 1u;
  let frames = ctcInputLength(n);
  if (t >= frames || s >= min(length, 2u * t + 2u) || s + 2u * frames < length + 2u * t) { return -1; }
  let row = u32(i32(t) - origin) % rows;
  let start = ((n - ctcProblem.firstSequence) * rows + row) * ctcProblem.pairs * 2u;
  return i32(start + s);
}

/// Of scores so large that no float holds their sum, the nearest that does.
fn ctcLog(state: vec2u, k: i32, r: f32, far: f32) -> f32 {
  let m = bitcast<f32>(state.x);
  if (m == 0.0) { return CTC_LOG_ZERO; }
  return log(m) + r + f32(bitcast<i32>(state.y) + k) * 0.6931472 + clamp(far, -3.2e32, 3.2e32) * 1048576.0;
}
