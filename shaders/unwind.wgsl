// The best texts that a search has ended with, a lane for some of them: their classes from the last to the first, and what they are worth.

@group(0) @binding(5) var<storage, read> tree: array<u32>;
@group(0) @binding(6) var<storage, read_write> texts: array<u32>;
@group(0) @binding(7) var<storage, read_write> textTotals: array<u32>;
@group(0) @binding(8) var<storage, read_write> lastExits: array<u32>;

/// What each text is worth, each with each exit of its last word; ranks go by it.
@group(0) @binding(9) var<storage, read_write> worths: array<f32>;

fn worthOf(part: u32, half: u32, i: u32) -> f32 {
  let e = entryAt(part, half, i / exits());
  let exit = i % exits();
  let node = entries[e + E_NODE];
  let mass = sum2(massAt(e + E_BLANK), massAt(e + E_LABEL));
  if (exit >= max(1u, select(1u, exitsOf(node), SPELLED)) || mass.m == 0.0) { return IMPOSSIBLE; }
  own = Text(
    entries[e + E_LOW], entries[e + E_LOW + 1u], entries[e + E_LOW + 2u], entries[e + E_LOW + 3u],
    node, entries[e + E_LM], entries[e + E_HOT],
  );
  let known = bitcast<f32>(entries[e + E_KNOWN]) + endOf(exit);
  return select(lnOf(mass, 0) + known, IMPOSSIBLE, known < 0.5 * IMPOSSIBLE);
}

@compute @workgroup_size(WORKGROUP)
fn unwind(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let part = group.y;
  let n = problem.firstSequence + part;
  let length = targets[part * problem.recordWords];
  let half = length % 2u;
  let count = entries[entriesOf(part)] * exits();
  let own0 = part * WIDTH * exits();
  for (var r = lane; r < TEXTS; r += WORKGROUP) {
    textTotals[n * TEXTS + r] = MINUS_INFINITY;
    lastExits[n * TEXTS + r] = 0u;
    for (var t = 0u; t < problem.frames; t++) { texts[(n * TEXTS + r) * problem.frames + t] = NONE; }
  }
  for (var i = lane; i < count; i += WORKGROUP) { worths[own0 + i] = worthOf(part, half, i); }
  storageBarrier();
  workgroupBarrier();
  for (var i = lane; i < count; i += WORKGROUP) {
    let worth = worths[own0 + i];
    if (worth < 0.5 * IMPOSSIBLE) { continue; }
    var rank = 0u;
    for (var j = 0u; j < count; j++) {
      let other = worths[own0 + j];
      rank += u32(other > worth || (other == worth && j < i));
    }
    if (rank >= TEXTS) { continue; }
    textTotals[n * TEXTS + rank] = bitcast<u32>(worth);
    lastExits[n * TEXTS + rank] = i % exits();
    let e = entryAt(part, half, i / exits());
    var labels = 0u;
    for (var at = entries[e + E_AT]; at != NONE; at = tree[2u * at]) { labels++; }
    for (var at = entries[e + E_AT]; at != NONE; at = tree[2u * at]) {
      labels--;
      texts[(n * TEXTS + rank) * problem.frames + labels] = tree[2u * at + 1u];
    }
  }
}
