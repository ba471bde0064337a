// Many frames of the posterior, from the middle of the sequence outwards: a path that is in a state at
// step k was, one step ago, where the shares of sweep.wgsl say.
//
//   k      blank_i  label_i           stayed · label_i      remains in label_i
//             │ ╲   ╱ │               the rest of it, and blank_i, was X (or, without a skip, blank_i):
//   k−1    blank_i   label_i−1        from left · X         was in label_i−1, the rest in blank_i
//
// Each state hands on what it has, no more: the posterior goes on summing to 1, plain floats suffice,
// and what underflows is nothing that could grow again.

@group(0) @binding(5) var<storage, read_write> posteriors: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> edges: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> lattice: array<vec4f>;

@compute @workgroup_size(LANES)
fn spread(@builtin(workgroup_id) group: vec3u, lane: Lane) {
  let row = group.y;
  let sweep = row % 2u;
  let sequence = sequenceAt(problem.firstSequence + row / 2u);
  let blocks = blocksOf(sequence, group.x);
  for (var next = blocks.end; next > blocks.first; next--) {
    let block = next - 1u;
    let span = spanOf(sequence, sweep, group.x, block * BLOCK);
    if (span.first >= span.end) { continue; }
    let pair = block * BLOCK + 4u * lane.index;
    let skip = labelsOf(sequence, sweep, pair).skip;
    let place = (row * problem.pairs + pair) / 2u;
    var blank = posteriors[place];
    var label = posteriors[place + 1u];
    for (var end = span.end; end > span.first; end--) {
      let k = end - 1u;
      let at = stepRow(row / 2u, sweep, k) + pair / 4u;
      let fromX = lattice[at];
      let stayed = lattice[at + problem.pairs / 4u] * label;
      lattice[at] = label;
      lattice[at + problem.pairs / 4u].x = (blank.x + blank.y) + (blank.z + blank.w);
      let rest = label - stayed;
      let x = blank + select(vec4f(), rest, skip);
      let toLeft = fromX * x;
      var right = fromRight(k, lane.index, toLeft.x);
      if (lane.index == LANES - 1u) {
        edges[edgeOf(row, block, k)].x = right;
        right = 0.0;
        if (hasRight(sequence, pair + 4u, k)) { right = edges[edgeOf(row, block + 1u, k)].x; }
      }
      blank = x - toLeft + select(rest, vec4f(), skip);
      label = stayed + vec4f(toLeft.yzw, right);
    }
    posteriors[place] = blank;
    posteriors[place + 1u] = label;
    betweenBlocks();
  }
}
