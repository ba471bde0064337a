// Sequences, one after another, that share a recording. Of logits its rows were looked at before, once for all of them; of
// log-probabilities each counts those of its own labels.

const HEARD = LOGITS;

@group(0) @binding(6) var<storage, read> heard: array<Frame>;

fn recordingOf(n: u32) -> u32 { return n / problem.candidates; }
fn heardFrame(n: u32, t: u32) -> Frame {
  return heard[framePlace(recordingOf(n) - recordingOf(problem.firstSequence), t)];
}
