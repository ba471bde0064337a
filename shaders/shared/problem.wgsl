// What a dispatch is told: the problem's shape, and which part of it is its share.
// src/problem.ts reads the fields and their order from here.

struct Problem {
  zero: u32,            // always 0, which no compiler knows: see opaque()
  frames: u32,          // T
  sequences: u32,       // N
  classes: u32,         // C
  labels: u32,          // S: room for labels in a sequence's record
  distinct: u32,        // D: room for distinct labels, min(S, C − 1)
  pairs: u32,           // of blank and label in a row of the lattice: S + 1, or more
  blank: u32,
  zeroInfinity: u32,
  mean: u32,            // 1: a loss counts 1 / (N · max(S_n, 1)) in the reduction; 0: 1
  recordWords: u32,     // size of a sequence's record in `targets`
  frameStride: u32,     // row of the caller's tensor = t · frameStride + n · sequenceStride
  sequenceStride: u32,
  gradOutputStride: u32, // 1: one upstream gradient for each sequence; 0: one for all

  firstSequence: u32,   // the part of the batch that is in memory starts here
  boxFrame: u32,        // this dispatch starts at this frame; where sweeps run, frames from here on are their steps
  boxEnd: u32,          //   ends before this one,
  boxSequence: u32,     //   and starts at this sequence
  firstRow: u32,        // the window of the caller's tensor that is bound
  rowCount: u32,
  emissionFrame: u32,   // the frame in row 0 of `emissions`
  emissionRows: u32,
  alphaFrame: i32,      // the frame in row 0 of `lattice`; frame t is in row (t − alphaFrame) mod alphaRows
  alphaRows: u32,
  betaFrame: i32,
  betaRows: u32,
  segment: u32,         // steps of a sweep, or frames, that one dispatch walks
  blocks: u32,          // blocks of pairs that one workgroup walks through
  count: u32,           // of what a dispatch has one invocation each for: sequences of the part, samples
}

@group(0) @binding(0) var<uniform> problem: Problem;

/// WebGPU has no push constants. An integer that changes from dispatch to dispatch (the frame, the
/// offset of a window) is a dynamic offset into a table whose i-th block holds i.
@group(0) @binding(1) var<uniform> integer: u32;
