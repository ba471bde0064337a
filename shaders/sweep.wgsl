// Many frames of the forward variable, from one end of the sequence towards its middle; seen from the
// other end, time and labels reversed, the same recursion is the backward variable.
//
//   k−1    blank_i   label_i−1        X = blank_i + label_i−1
//             │ ╲   ╱ │               Y = label_i + (X if label_i−1 may be skipped from, else blank_i)
//   k      blank_i  label_i           blank_i = X · its emission,  label_i = Y · its emission
//
// What is kept of a step is not the states but, as floats in [0, 1], the shares from which spread.wgsl
// finds the posterior:   from left = label_i−1 / X    stayed = label_i / Y
//
// Where targets are texts, a delimiter lasts one frame, and the blank after it, as those at both ends of the text, may be any of
// blanks and delimiters: so each way to say the space between two words is one path.

@group(0) @binding(4) var<storage, read> emissions: array<Extended>;
@group(0) @binding(5) var<storage, read_write> states: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> edges: array<vec2u>;
@group(0) @binding(7) var<storage, read_write> lattice: array<vec4f>;

/// Of four pairs of a text in the order of a sweep: whether their blanks may be delimiters, and whether a path may stay in their labels.
struct Spaces { free: vec4<bool>, stay: vec4<bool> }

fn spacesOf(sequence: Sequence, sweep: u32, pair: u32) -> Spaces {
  var spaces = Spaces(vec4<bool>(), vec4<bool>());
  let last = sequence.targetLength;
  for (var j = 0u; j < 4u && pair + j <= last; j++) {
    let blank = select(pair + j, last - pair - j, sweep == 1u);
    spaces.free[j] = blank == 0u || blank == last || isDelimiter(sequence, blank - 1u);
    spaces.stay[j] = pair + j < last && !isDelimiter(sequence, placeIn(sweep, sequence, pair + j));
  }
  return spaces;
}

fn isDelimiter(sequence: Sequence, i: u32) -> bool { return classOf(sequence, slotAt(sequence, i)) == problem.delimiter; }

@compute @workgroup_size(LANES)
fn sweep(@builtin(workgroup_id) group: vec3u, lane: Lane) {
  let row = group.y;
  let sweep = row % 2u;
  let sequence = sequenceAt(problem.firstSequence + row / 2u);
  let blocks = blocksOf(sequence, group.x);
  for (var block = blocks.first; block < blocks.end; block++) {
    let span = spanOf(sequence, sweep, group.x, block * BLOCK);
    if (span.first >= span.end) { continue; }
    let pair = block * BLOCK + 4u * lane.index;
    let labels = labelsOf(sequence, sweep, pair);
    var spaces: Spaces;
    if (TEXTS) { spaces = spacesOf(sequence, sweep, pair); }
    let place = row * problem.pairs + pair;
    var blank = Four(vec4f(), vec4i(ZERO));
    var label = blank;
    if (RESUMES && span.first > block * BLOCK) {
      blank = Four(bitcast<vec4f>(states[place]), bitcast<vec4i>(states[place + 1u]));
      label = Four(bitcast<vec4f>(states[place + 2u]), bitcast<vec4i>(states[place + 3u]));
    } else if (pair == 0u) {
      // the start, as if a path stood before pair 0
      blank = Four(vec4f(1.0, 0.0, 0.0, 0.0), vec4i(0, ZERO, ZERO, ZERO));
    }
    for (var k = span.first; k < span.end; k++) {
      var left = fromLeft(k, lane.index, vec2u(bitcast<u32>(label.m.w), bitcast<u32>(label.e.w)));
      if (lane.index == 0u) {
        // the last lane's goes to the edge, what comes from there is of the block before: no other lane touches edges
        edges[edgeOf(row, block, k)] = left;
        left = vec2u(0u, bitcast<u32>(ZERO));
        if (hasLeft(sequence, pair, k)) { left = edges[edgeOf(row, block - 1u, k)]; }
      }
      let lefts = Four(vec4f(bitcast<f32>(left.x), label.m.xyz), vec4i(bitcast<i32>(left.y), label.e.xyz));
      let x = join(lefts, blank);
      var own = label;
      if (TEXTS) { own = choose(spaces.stay, label, Four(vec4f(), vec4i(ZERO))); }
      let y = join(own, choose(labels.skip, x.total, blank));
      if (STORE) {
        let to = stepRow(row / 2u, sweep, k) + pair / 4u;
        lattice[to] = x.share;
        lattice[to + problem.pairs / 4u] = y.share;
      }
      let at = emissionRow(row, k);
      let b = emissions[at];
      let e0 = emissions[at + labels.slot.x];
      let e1 = emissions[at + labels.slot.y];
      let e2 = emissions[at + labels.slot.z];
      let e3 = emissions[at + labels.slot.w];
      var blanks = Four(vec4f(b.m), vec4i(b.e));
      if (TEXTS) {
        let either = emissions[at + slotsOf(sequence) - 1u];
        blanks = choose(spaces.free, Four(vec4f(either.m), vec4i(either.e)), blanks);
      }
      blank = times(x.total, blanks);
      label = times(y.total, Four(vec4f(e0.m, e1.m, e2.m, e3.m), vec4i(e0.e, e1.e, e2.e, e3.e)));
      if (k % 8u == 7u) {
        blank = settled(blank);
        label = settled(label);
      }
    }
    states[place] = bitcast<vec4u>(blank.m);
    states[place + 1u] = bitcast<vec4u>(blank.e);
    states[place + 2u] = bitcast<vec4u>(label.m);
    states[place + 3u] = bitcast<vec4u>(label.e);
    betweenBlocks();
  }
}
