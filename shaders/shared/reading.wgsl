/// In place of a class, where there is no answer: −1.
const NO_LABEL = 0xffffffffu;

/// The log-probability of a class: what came in, or what log-softmax makes of it.
fn scoreOf(bits: u32, largest: f32, lnNormaliser: f32) -> u32 {
  if (!LOGITS) { return bits; }
  return bitcast<u32>((bitcast<f32>(bits) - largest) - lnNormaliser);
}
