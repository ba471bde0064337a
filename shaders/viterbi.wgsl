// The best path to each state, frame by frame, as sweep.wgsl goes through blocks, segments and slices; costs in place of
// probabilities, the least in place of a sum.
//
//   t−1    blank_i   label_i−1        blank_i: what it costs to stay, or to step from label_i−1
//             │ ╲   ╱ │               label_i: to stay, to step from blank_i, or to skip from label_i−1 where that may be
//   t      blank_i  label_i           each plus its emission's
//
// Ties: a path stays unless a step or a skip costs less; it skips only if that costs less than a step.
// What is kept of a frame is where each state came from, six ways for a pair, twelve pairs to a word:
//
//   way    blank stepped + 2 · (label stepped 1, skipped 2)
//   word   Σ 1296^(step mod 3) · (6³ way_0 + 6² way_1 + 6 way_2 + way_3)      1296 = 6⁴ ways of four pairs, < 2^32 for three steps

@group(0) @binding(4) var<storage, read> costs: array<Emission>;
@group(0) @binding(5) var<storage, read_write> stateCosts: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> edgeCosts: array<vec2u>;
@group(0) @binding(7) var<storage, read_write> ways: array<u32>;
@group(0) @binding(8) var<storage, read> ends: array<u32>;

/// Costs of four neighbouring pairs.
struct Costs { low: vec4u, high: vec4u }

const NONE = Costs(vec4u(), vec4u(UNREACHABLE));

fn areLess(a: Costs, b: Costs) -> vec4<bool> {
  return (a.high < b.high) | ((a.high == b.high) & (a.low < b.low));
}

fn choose(which: vec4<bool>, a: Costs, b: Costs) -> Costs {
  return Costs(select(b.low, a.low, which), select(b.high, a.high, which));
}

/// Sums of whole numbers.
fn plus(a: Costs, low: vec4u, high: vec4u) -> Costs {
  let sum = a.low + low;
  let top = a.high + high + select(vec4u(), vec4u(1u), sum < low);
  let none = top >= vec4u(UNREACHABLE);
  return Costs(select(sum, vec4u(), none), select(top, vec4u(UNREACHABLE), none));
}

/// Whether a far cost is among some high words, which are from 2^21 to 2^30 then.
fn isFar(high: vec4u) -> bool { return any((high & vec4u(UNREACHABLE - FAR)) != vec4u()); }

/// Sums of any costs.
fn plusFar(a: Costs, low: vec4u, high: vec4u) -> Costs {
  var sum = plus(a, low, high);
  for (var j = 0u; j < 4u; j++) {
    if (max(a.high[j], high[j]) < UNREACHABLE && max(max(a.high[j], high[j]), sum.high[j]) >= FAR) {
      let far = sumOfFar(unpackedCost(Emission(a.low[j], a.high[j])), unpackedCost(Emission(low[j], high[j])));
      sum.low[j] = far.x;
      sum.high[j] = far.y;
    }
  }
  return sum;
}

/// When a slice is walked again, the path's end in it is known: whether a block has pairs that can lead there.
fn leadsToEnd(part: u32, block: u32) -> bool {
  let pair = ends[part] / 2u;
  return !AGAIN || (block * BLOCK <= pair && (block + 1u) * BLOCK + (problem.boxEnd - problem.boxFrame) >= pair);
}

@compute @workgroup_size(LANES)
fn viterbi(@builtin(workgroup_id) group: vec3u, lane: Lane) {
  let part = group.y;
  let sequence = sequenceAt(problem.firstSequence + part);
  let blocks = blocksOf(sequence, group.x);
  for (var block = blocks.first; block < blocks.end; block++) {
    let span = spanOf(sequence, 0u, group.x, block * BLOCK);
    if (span.first >= span.end || !leadsToEnd(part, block)) { continue; }
    let pair = block * BLOCK + 4u * lane.index;
    let labels = labelsOf(sequence, 0u, pair);
    let place = part * problem.pairs + pair;
    var blank = NONE;
    var label = NONE;
    if (span.first > block * BLOCK) {
      blank = Costs(stateCosts[place], stateCosts[place + 1u]);
      label = Costs(stateCosts[place + 2u], stateCosts[place + 3u]);
    } else if (pair == 0u) {
      // the start, as if a path stood before pair 0
      blank.high.x = 0u;
    }
    var word = 0u;
    var weight = 1u;
    for (var k = span.first; k < span.end; k++) {
      let phase = (k - problem.emissionFrame) % 3u;
      if (k == span.first || phase == 0u) {
        word = 0u;
        weight = select(select(1u, 1296u, phase == 1u), 1679616u, phase == 2u);
      }
      var left = fromLeft(k, lane.index, vec2u(label.low.w, label.high.w));
      if (lane.index == 0u) {
        // as in sweep.wgsl: no other lane touches edges
        edgeCosts[edgeOf(part, block, k)] = left;
        left = vec2u(0u, UNREACHABLE);
        if (hasLeft(sequence, pair, k)) { left = edgeCosts[edgeOf(part, block - 1u, k)]; }
      }
      let lefts = Costs(vec4u(left.x, label.low.xyz), vec4u(left.y, label.high.xyz));
      let skips = choose(labels.skip, lefts, NONE);
      let blankSteps = areLess(lefts, blank);
      let skipped = areLess(skips, blank) & areLess(skips, label);
      let stepped = areLess(blank, label) & !skipped;
      let at = emissionRow(part, k);
      let b = costs[at];
      let e0 = costs[at + labels.slot.x];
      let e1 = costs[at + labels.slot.y];
      let e2 = costs[at + labels.slot.z];
      let e3 = costs[at + labels.slot.w];
      let toLabel = choose(skipped, skips, choose(stepped, blank, label));
      let toBlank = choose(blankSteps, lefts, blank);
      let low = vec4u(e0.x, e1.x, e2.x, e3.x);
      let high = vec4u(e0.y, e1.y, e2.y, e3.y);
      label = plus(toLabel, low, high);
      blank = plus(toBlank, vec4u(b.x), vec4u(b.y));
      if (isFar(label.high | blank.high | high | vec4u(b.y))) {
        label = plusFar(toLabel, low, high);
        blank = plusFar(toBlank, vec4u(b.x), vec4u(b.y));
      }
      let way = vec4u(blankSteps) + 2u * vec4u(stepped) + 4u * vec4u(skipped);
      word += weight * (216u * way.x + 36u * way.y + 6u * way.z + way.w);
      weight *= 1296u;
      if (phase == 2u || k + 1u == span.end) { ways[wayPlace(part, k, pair)] = word; }
    }
    stateCosts[place] = blank.low;
    stateCosts[place + 1u] = blank.high;
    stateCosts[place + 2u] = label.low;
    stateCosts[place + 3u] = label.high;
    betweenBlocks();
  }
}
