/// Where the ways to four pairs at three steps lie: viterbi.wgsl writes them, trace.wgsl follows them.
fn wayPlace(part: u32, k: u32, pair: u32) -> u32 {
  return ((part * problem.alphaRows + (k - problem.emissionFrame) / 3u) * problem.pairs + pair) / 4u;
}

/// In `ends`, where a path has no end: its frames hold a NaN or +Infinity that counts, or none has a probability above zero.
const NO_END = 0x80000000u;
