// For each sample of each sequence, by one invocation: its state in the middle frame, drawn from the posterior there. The
// frames beyond the input get no class.

@group(0) @binding(4) var<storage, read_write> samples: array<u32>;
@group(0) @binding(5) var<storage, read> posteriors: array<vec4f>;
@group(0) @binding(6) var<storage, read> totals: array<Total>;
@group(0) @binding(7) var<storage, read_write> walkers: array<u32>;
@group(0) @binding(8) var<storage, read> seed: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn draw(@builtin(global_invocation_id) id: vec3u) {
  let sample = id.x;
  let part = id.y;
  if (sample >= problem.count) { return; }
  let n = problem.firstSequence + part;
  let sequence = sequenceAt(n);
  let last = 2u * sequence.targetLength;
  var walker = NO_PATH;
  if (totals[n].status == REGULAR && sequence.inputLength > 0u) {
    // the posterior sums to 1 but for rounding: what is left falls to the last state that has some
    var rest = randomOf(seed[0], n, sample, 0u, middleOf(sequence))[STATE];
    for (var s = 0u; s <= last; s++) {
      let pair = s / 2u;
      let share = posteriors[(2u * part * problem.pairs + pair - pair % 4u) / 2u + s % 2u][pair % 4u];
      if (share > 0.0 && (walker == NO_PATH || rest >= 0.0)) { walker = s; }
      rest -= share;
      if (rest < 0.0) { break; }
    }
  }
  for (var t = sequence.inputLength; t < problem.frames; t++) {
    samples[(n * problem.count + sample) * problem.frames + t] = NO_PATH;
  }
  let place = 2u * (part * problem.count + sample);
  walkers[place] = walker;
  walkers[place + 1u] = select(last - walker, NO_PATH, walker == NO_PATH);
}
