/// In place of a class, where there is no answer: −1.
const NO_LABEL = 0xffffffffu;

/// The log-probability of a class: what came in, or what log-softmax makes of it.
fn scoreOf(bits: u32, largest: f32, lnNormaliser: f32) -> u32 {
  if (!LOGITS || bits == MINUS_INFINITY) { return bits; }
  // halves: the difference of two finite scores may exceed float32, and is −Infinity then
  let half = 0.5 * bitcast<f32>(bits) - 0.5 * largest;
  if (half < -1.7014117e38) { return MINUS_INFINITY; }
  return bitcast<u32>((bitcast<f32>(bits) - largest) - lnNormaliser);
}
