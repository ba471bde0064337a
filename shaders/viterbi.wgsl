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
@group(0) @binding(9) var<storage, read> masks: array<u32>;

/// The costs of a lane's four pairs.
struct States { blank: Costs, label: Costs }

/// As they were before a span, which starts at its first step or where another ended.
fn statesBefore(span: Span, block: u32, pair: u32, place: u32) -> States {
  if (span.first > block * BLOCK) {
    return States(Costs(stateCosts[place], stateCosts[place + 1u]), Costs(stateCosts[place + 2u], stateCosts[place + 3u]));
  }
  var states = States(NONE, NONE);
  // the start, as if a path stood before pair 0
  if (pair == 0u) { states.blank.high.x = 0u; }
  return states;
}

/// The labels to the left of a lane's pairs. What leaves the block on the right goes to its edge.
fn labelsLeft(part: u32, sequence: Sequence, block: u32, pair: u32, k: u32, lane: u32, label: Costs) -> Costs {
  var left = fromLeft(k, lane, vec2u(label.low.w, label.high.w));
  if (lane == 0u) {
    // as in sweep.wgsl: no other lane touches edges
    edgeCosts[edgeOf(part, block, k)] = left;
    left = vec2u(0u, UNREACHABLE);
    if (hasLeft(sequence, pair, k)) { left = edgeCosts[edgeOf(part, block - 1u, k)]; }
  }
  return Costs(vec4u(left.x, label.low.xyz), vec4u(left.y, label.high.xyz));
}

/// Where each state comes from: the costs there, and the ways, four pairs in one number.
struct Choice { blank: Costs, label: Costs, ways: u32 }

fn choiceOf(lefts: Costs, states: States, skip: vec4<bool>) -> Choice {
  let skips = choose(skip, lefts, NONE);
  let blankSteps = areLess(lefts, states.blank);
  let skipped = areLess(skips, states.blank) & areLess(skips, states.label);
  let stepped = areLess(states.blank, states.label) & !skipped;
  let way = vec4u(blankSteps) + 2u * vec4u(stepped) + 4u * vec4u(skipped);
  return Choice(
    choose(blankSteps, lefts, states.blank),
    choose(skipped, skips, choose(stepped, states.blank, states.label)),
    216u * way.x + 36u * way.y + 6u * way.z + way.w,
  );
}

/// What the states of a step cost by themselves.
struct Own { blank: Costs, label: Costs }

fn ownCosts(part: u32, k: u32, slot: vec4u) -> Own {
  let at = emissionRow(part, k);
  let b = costs[at];
  let e0 = costs[at + slot.x];
  let e1 = costs[at + slot.y];
  let e2 = costs[at + slot.z];
  let e3 = costs[at + slot.w];
  return Own(Costs(vec4u(b.x), vec4u(b.y)), Costs(vec4u(e0.x, e1.x, e2.x, e3.x), vec4u(e0.y, e1.y, e2.y, e3.y)));
}

/// The same where some are far.
fn ownFarCosts(part: u32, k: u32, slot: vec4u) -> Own {
  let at = emissionRow(part, k);
  let largest = bitcast<f32>(costs[at + problem.distinct + 1u].x);
  let b = unmarked(costs[at], largest);
  var own = Own(Costs(vec4u(b.x), vec4u(b.y)), NONE);
  for (var j = 0u; j < 4u; j++) {
    let e = unmarked(costs[at + slot[j]], largest);
    own.label.low[j] = e.x;
    own.label.high[j] = e.y;
  }
  return own;
}

/// Where three steps share a word: what the ways of a step count in it.
fn weightOf3(k: u32) -> u32 {
  let phase = (k - problem.emissionFrame) % 3u;
  return select(select(1u, 1296u, phase == 1u), 1679616u, phase == 2u);
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
    var states = statesBefore(span, block, pair, place);
    var word = 0u;
    // masks are beyond sums of whole numbers; what adds them is slow, so that only sequences with masks go that way
    if (masks[part] != 0u) {
      for (var k = span.first; k < span.end; k++) {
        let weight = weightOf3(k);
        if (weight == 1u) { word = 0u; }
        let lefts = labelsLeft(part, sequence, block, pair, k, lane.index, states.label);
        let choice = choiceOf(lefts, states, labels.skip);
        let own = ownFarCosts(part, k, labels.slot);
        states = States(plusFar(choice.blank, own.blank), plusFar(choice.label, own.label));
        word += weight * choice.ways;
        if (weight == 1679616u || k + 1u == span.end) { ways[wayPlace(part, k, pair)] = word; }
      }
    } else {
      for (var k = span.first; k < span.end; k++) {
        let weight = weightOf3(k);
        if (weight == 1u) { word = 0u; }
        let lefts = labelsLeft(part, sequence, block, pair, k, lane.index, states.label);
        let choice = choiceOf(lefts, states, labels.skip);
        let own = ownCosts(part, k, labels.slot);
        states = States(plus(choice.blank, own.blank), plus(choice.label, own.label));
        word += weight * choice.ways;
        if (weight == 1679616u || k + 1u == span.end) { ways[wayPlace(part, k, pair)] = word; }
      }
    }
    stateCosts[place] = states.blank.low;
    stateCosts[place + 1u] = states.blank.high;
    stateCosts[place + 2u] = states.label.low;
    stateCosts[place + 3u] = states.label.high;
    betweenBlocks();
  }
}
