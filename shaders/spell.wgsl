// For each (t, n), by one invocation: the state of the path becomes a class and its log-probability. The class takes the
// place of the state, so that no second invocation may look there.

@group(0) @binding(4) var<storage, read> frames: array<Frame>;
@group(0) @binding(5) var<storage, read_write> labels: array<u32>;
@group(0) @binding(6) var<storage, read_write> labelScores: array<u32>;
@group(0) @binding(8) var<storage, read> ends: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn spell(@builtin(workgroup_id) group: vec3u, own: Lane) {
  let t = problem.boxFrame + frameOf(group.x, own.index);
  let n = problem.boxSequence + group.y;
  let sequence = sequenceAt(n);
  let row = windowRow(t, n);
  if (t >= problem.boxEnd || row >= problem.rowCount || laneOf(own.index) != 0u) { return; }
  let part = n - problem.firstSequence;
  let place = n * problem.frames + t;
  let end = ends[part];
  if (t >= sequence.inputLength || end >= NO_END) {
    labels[place] = NO_LABEL;
    labelScores[place] = select(0u, NAN, end > NO_END && t < sequence.inputLength);
    return;
  }
  let s = labels[place];
  var slot = 0u;
  if (s % 2u == 1u) { slot = slotAt(sequence, s / 2u); }
  let c = classOf(sequence, slot);
  let start = integer + row * problem.classes;
  let largest = frames[framePlace(part, t)].largest;
  let lnNormaliser = frames[framePlace(part, t)].lnNormaliser;
  labels[place] = c;
  if (c != STAR) {
    labelScores[place] = scoreOf(scoreAt(start + c), largest, lnNormaliser);
    return;
  }
  let below = belowBest(bitcast<f32>(scoreAt(start + problem.blank)) == largest);
  labelScores[place] = bitcast<u32>(bitcast<f32>(scoreOf(bitcast<u32>(largest), largest, lnNormaliser)) - below);
}
