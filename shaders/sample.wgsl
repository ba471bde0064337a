// For each sample and each end of its sequence, by one invocation: from the middle outwards, a piece of a slice at a time.
// Where a path that is in a state was one step before, the shares of sweep.wgsl say; spread.wgsl hands on masses as this
// throws dice.

@group(0) @binding(5) var<storage, read_write> samples: array<u32>;
@group(0) @binding(6) var<storage, read> lattice: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> walkers: array<u32>;
@group(0) @binding(8) var<storage, read> seed: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn sample(@builtin(global_invocation_id) id: vec3u) {
  let sweep = id.x % 2u;
  let number = id.x / 2u;
  let part = id.y;
  if (number >= problem.count) { return; }
  let n = problem.firstSequence + part;
  let sequence = sequenceAt(n);
  let place = 2u * (part * problem.count + number) + sweep;
  var s = walkers[place];
  let first = problem.boxFrame + integer * problem.segment;
  let end = min(min(first + problem.segment, problem.boxEnd), select(0u, lastStep(sequence, sweep) + 1u, sequence.inputLength > 0u));
  for (var next = end; next > first; next--) {
    let k = next - 1u;
    let t = select(k, sequence.inputLength - 1u - k, sweep == 1u);
    let pair = s / 2u;
    let isLabel = s % 2u == 1u && s != NO_PATH;
    // the middle frame is in both sweeps
    if (sweep == 0u || !isMiddle(sequence, t)) {
      var slot = 0u;
      if (isLabel) { slot = slotAt(sequence, placeIn(sweep, sequence, pair)); }
      samples[(n * problem.count + number) * problem.frames + t] = select(classOf(sequence, slot), NO_PATH, s == NO_PATH);
    }
    if (s == NO_PATH || k == 0u) { continue; }
    let at = stepRow(part, sweep, k) + pair / 4u;
    let fromLeft = lattice[at][pair % 4u];
    let stayed = lattice[at + problem.pairs / 4u][pair % 4u];
    let random = randomOf(seed[0], n, number, sweep, t);
    if (isLabel && random[STAYED] < stayed) { continue; }
    if (isLabel) { s--; }
    let skips = !isLabel || maySkipIn(sweep, sequence, pair);
    if (skips && random[FROM_LEFT] < fromLeft) { s = 2u * pair - 1u; }
  }
  walkers[place] = s;
}

/// Whether a path may skip the blank before a label, in the order of a sweep.
fn maySkipIn(sweep: u32, sequence: Sequence, pair: u32) -> bool {
  return (targets[sequence.base + 4u + placeIn(sweep, sequence, pair)] >> (31u - sweep)) % 2u == 1u;
}
