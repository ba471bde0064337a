/// What `rows` finds out about a frame of one sequence.
struct Frame {
  unit: Reduced,    // ln of the unit of this frame's emissions
  largest: f32,     // score, whose exp is the unit
  normaliser: f32,  // logits: sum of exp(logit) over the classes, in that unit; log-probabilities: 1
  lnNormaliser: f32,
  invalid: u32,     // 1: NaN or +Infinity among the scores that count
}

/// The scale that a frame's emissions leave out: ln(unit) − ln(normaliser). For logits the unit cancels.
fn scaleOf(frame: Frame) -> Reduced {
  if (LOGITS) { return reduce(-frame.lnNormaliser, 1024); }
  return frame.unit;
}
