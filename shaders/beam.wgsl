// Prefix beam search over texts, a workgroup for a sequence, many frames of it in a dispatch. Of each frame:
//
//   stay      each text by a blank, or by its last class once more
//   merge     what comes to a text that is there from another one that is there
//   extend    every text by every class that may be among the best: candidates, those of one text made one
//   select    the best of both, into the other half, and the new ones into the tree
//
// The tree has WIDTH nodes for each frame: the node before, and the class with the exit before it.

@group(0) @binding(5) var<storage, read> topLabels: array<u32>;
@group(0) @binding(6) var<storage, read> topScores: array<u32>;
@group(0) @binding(7) var<storage, read_write> tree: array<u32>;
@group(0) @binding(8) var<storage, read_write> candidates: array<u32>;

/// Words of a candidate: its key, its text, its mass, what is known; the entry that it is; key and mass with all that is the same text.
const CANDIDATE = 15u;
const C_KEY = 0u; const C_TEXT = 1u; const C_MASS = 8u; const C_KNOWN = 10u; const C_THERE = 11u; const C_ALL_KEY = 12u; const C_ALL = 13u;

var<workgroup> lows: array<u32, WIDTH>;
var<workgroup> classes: array<u32, TOPS>;
var<workgroup> chances: array<f32, TOPS>;
var<workgroup> count: u32;
var<workgroup> frames: u32;
var<private> part: u32;
var<private> half: u32;
/// The unit of scores: masses lie around it.
var<private> unit: i32;

fn entry(i: u32) -> u32 { return entryAt(part, half, i); }
fn candidate(q: u32) -> u32 { return (part * WIDTH * TOPS * CHOICES + q) * CANDIDATE; }

/// What is kept: the texts that are there, then the candidates.
fn keyAt(i: u32) -> u32 {
  if (i < count) { return entries[entry(i) + E_KEY]; }
  return candidates[candidate(i - count) + C_ALL_KEY];
}

fn keyOf(score: f32) -> u32 { return select(orderKey(bitcast<u32>(score)), 0u, score < 0.5 * IMPOSSIBLE); }

fn probability(score: f32) -> Extended {
  let r = reduce(score, 1 << 28);
  return normalised(expNearZero(r.r), r.k);
}

fn chanceOf(label: u32) -> f32 {
  for (var j = 0u; j < TOPS; j++) { if (classes[j] == label) { return chances[j]; } }
  return IMPOSSIBLE;
}

/// The mass of going on by a class: by the last one only after a blank.
fn leaving(e: u32, label: u32) -> Extended {
  if (entries[e + E_LAST] == label) { return massAt(e + E_BLANK); }
  return massAt(e + E_TOTAL);
}

fn times(mass: Extended, score: f32) -> Extended {
  if (score < 0.5 * IMPOSSIBLE) { return NOTHING; }
  return product(mass, probability(score));
}

fn stay(i: u32) {
  let e = entry(i);
  let total = sum2(massAt(e + E_BLANK), massAt(e + E_LABEL));
  setMass(e + E_TOTAL, total);
  setMass(e + E_NEXT_BLANK, times(total, chanceOf(problem.blank)));
  setMass(e + E_NEXT_LABEL, times(massAt(e + E_LABEL), chanceOf(entries[e + E_LAST])));
  lows[i] = entries[e + E_LOW];
}

fn isText(e: u32, place: u32) -> bool {
  return entries[e + E_LOW] == entries[place] && entries[e + E_LOW + 1u] == entries[place + 1u];
}

/// What comes to an entry from those that are the text before its last class; where words are spelled, by the candidates that are it.
fn merge(i: u32) {
  let e = entry(i);
  let last = entries[e + E_LAST];
  var sum = massAt(e + E_NEXT_LABEL);
  let score = chanceOf(last);
  if (SPELLED) {
    for (var q = 0u; q < count * TOPS * CHOICES; q++) {
      let c = candidate(q);
      if (candidates[c + C_THERE] == i && candidates[c + C_KEY] != 0u) {
        sum = sum2(sum, Extended(bitcast<f32>(candidates[c + C_MASS]), bitcast<i32>(candidates[c + C_MASS + 1u])));
      }
    }
  } else if (last != NONE && score > 0.5 * IMPOSSIBLE) {
    let source = entries[e + E_FROM];
    let other = entries[e + E_OTHER];
    for (var s = 0u; s < count; s++) {
      let low = lows[s];
      if (low != source && low != other) { continue; }
      let before = entry(s);
      if (isText(before, e + E_FROM) || isText(before, e + E_OTHER)) { sum = sum2(sum, times(leaving(before, last), score)); }
    }
  }
  setMass(e + E_NEXT_LABEL, sum);
}

fn scoreEntry(i: u32) {
  let e = entry(i);
  let key = keyOf(lnOf(sum2(massAt(e + E_NEXT_BLANK), massAt(e + E_NEXT_LABEL)), unit) + bitcast<f32>(entries[e + E_KNOWN]));
  entries[e + E_KEY] = key;
  atomicMin(&least, key);
}

/// The most that a class adds to what is known of a text.
fn bound(e: u32, label: u32) -> f32 {
  let kind = wordAt(KINDS, label);
  let isLetter = kind == 0u;
  let first = select(0.0, max(0.0, bitcast<f32>(knowledge[MOST_FIRST])), !isLetter || entries[e + E_NODE] == 0u);
  let heard = select(bitcast<f32>(knowledge[MOST_HEARD]), numberAt(HOT_MOST, entries[e + E_HOT]), isLetter);
  let left = select(0.0, bitcast<f32>(knowledge[MOST_LEAVING]), kind > 1u);
  return bitcast<f32>(knowledge[MOST_TOKEN]) + first + heard + left;
}

/// Entry, class and choice of a candidate.
fn wayOf(q: u32) -> vec3u { return vec3u(q / (TOPS * CHOICES), (q / CHOICES) % TOPS, q % CHOICES); }

fn extend(q: u32, worst: f32) {
  let c = candidate(q);
  candidates[c + C_KEY] = 0u;
  let way = wayOf(q);
  let label = classes[way.y];
  let score = chances[way.y];
  let e = entry(way.x);
  if (label == NONE || label == problem.blank) { return; }
  let known = bitcast<f32>(entries[e + E_KNOWN]);
  let mass = times(leaving(e, label), score);
  let ln = lnOf(mass, unit);
  if (mass.m == 0.0 || !isChoice(label, entries[e + E_NODE], way.z)) { return; }
  if (!SPELLED && ln + known + bound(e, label) < worst) { return; }
  own = Text(
    entries[e + E_LOW], entries[e + E_LOW + 1u], entries[e + E_LOW + 2u], entries[e + E_LOW + 3u],
    entries[e + E_NODE], entries[e + E_LM], entries[e + E_HOT],
  );
  let all = known + goOn(label, choice(label, entries[e + E_NODE], way.z));
  if (all < 0.5 * IMPOSSIBLE || (!SPELLED && ln + all < worst)) { return; }
  var there = NONE;
  for (var s = 0u; s < count; s++) {
    let other = entry(s);
    if (lows[s] == own.low && entries[other + E_LOW + 1u] == own.high && entries[other + E_LAST] == label) { there = s; }
  }
  if (!SPELLED && there != NONE) { return; }
  candidates[c + C_KEY] = keyOf(ln + all);
  candidates[c + C_TEXT] = own.low;
  candidates[c + C_TEXT + 1u] = own.high;
  candidates[c + C_TEXT + 2u] = own.baseLow;
  candidates[c + C_TEXT + 3u] = own.baseHigh;
  candidates[c + C_TEXT + 4u] = own.node;
  candidates[c + C_TEXT + 5u] = own.lm;
  candidates[c + C_TEXT + 6u] = own.hot;
  candidates[c + C_MASS] = bitcast<u32>(mass.m);
  candidates[c + C_MASS + 1u] = bitcast<u32>(mass.e);
  candidates[c + C_KNOWN] = bitcast<u32>(all);
  candidates[c + C_THERE] = there;
}

/// Candidates of one text are its first one, with the sum of their masses.
fn unite(q: u32) {
  let c = candidate(q);
  candidates[c + C_ALL_KEY] = 0u;
  if (candidates[c + C_KEY] == 0u || (SPELLED && candidates[c + C_THERE] != NONE)) { return; }
  let way = wayOf(q);
  var sum = NOTHING;
  for (var i = 0u; i < count; i++) {
    for (var x = 0u; x < CHOICES; x++) {
      let other = (i * TOPS + way.y) * CHOICES + x;
      let o = candidate(other);
      if (candidates[o + C_KEY] == 0u || candidates[o + C_TEXT] != candidates[c + C_TEXT]) { continue; }
      if (candidates[o + C_TEXT + 1u] != candidates[c + C_TEXT + 1u]) { continue; }
      if (other < q) { return; }
      sum = sum2(sum, Extended(bitcast<f32>(candidates[o + C_MASS]), bitcast<i32>(candidates[o + C_MASS + 1u])));
    }
  }
  candidates[c + C_ALL_KEY] = keyOf(lnOf(sum, unit) + bitcast<f32>(candidates[c + C_KNOWN]));
  candidates[c + C_ALL] = bitcast<u32>(sum.m);
  candidates[c + C_ALL + 1u] = bitcast<u32>(sum.e);
}

/// An entry stays as it is, in another place.
fn keep(i: u32, to: u32) {
  let e = entry(i);
  for (var w = 0u; w < E_BLANK; w++) { entries[to + w] = entries[e + w]; }
  for (var w = 0u; w < 4u; w++) { entries[to + E_BLANK + w] = entries[e + E_NEXT_BLANK + w]; }
}

/// Whether a class may add a space or not, by what is before it.
fn beginsWithSpace(label: u32) -> bool {
  let at = wordAt(SYMBOL_START, label);
  return !has(HAS_LABELS) && at < wordAt(SYMBOL_START, label + 1u) && wordAt(SYMBOLS, at) == SPACE;
}

/// A candidate becomes an entry.
fn enter(q: u32, to: u32, node: u32) {
  let c = candidate(q);
  let way = wayOf(q);
  let e = entry(way.x);
  let label = classes[way.y];
  for (var w = 0u; w < 7u; w++) { entries[to + w] = candidates[c + C_TEXT + w]; }
  // a space may be one that adds nothing: then the text before it ends with a space or not
  let isSpace = beginsWithSpace(label);
  let atSpace = isSpace && entries[e + E_NODE] == 0u;
  entries[to + E_FROM] = entries[e + E_LOW];
  entries[to + E_FROM + 1u] = entries[e + E_LOW + 1u];
  own = Text(entries[e + E_LOW], entries[e + E_LOW + 1u], 0u, 0u, 0u, 0u, 0u);
  mix(SPACE);
  entries[to + E_OTHER] = select(select(entries[to + E_FROM], own.low, isSpace), entries[e + E_LOW + 2u], atSpace);
  entries[to + E_OTHER + 1u] = select(select(entries[to + E_FROM + 1u], own.high, isSpace), entries[e + E_LOW + 3u], atSpace);
  entries[to + E_LAST] = label;
  entries[to + E_AT] = node;
  entries[to + E_KNOWN] = candidates[c + C_KNOWN];
  setMass(to + E_BLANK, NOTHING);
  entries[to + E_LABEL] = candidates[c + C_ALL];
  entries[to + E_LABEL + 1u] = candidates[c + C_ALL + 1u];
  tree[2u * node] = entries[e + E_AT];
  tree[2u * node + 1u] = label | (u32(choice(label, entries[e + E_NODE], way.z) + 1) << 20u);
}

fn selectBest(lane: u32, t: u32) {
  let there = count;
  let all = there + there * TOPS * CHOICES;
  findEdge(lane, all);
  let share = (all + WORKGROUP - 1u) / WORKGROUP;
  let first = min(lane * share, all);
  let end = min(first + share, all);
  var before = keptBefore(lane, first, end);
  // texts too far below the best one are dropped
  let worst = keyOf(bitcast<f32>(fromOrderKey(atomicLoad(&largest))) + bitcast<f32>(LEAST_TEXT));
  for (var i = first; i < end; i++) {
    let key = keyAt(i);
    let isEqual = key == edge && key != 0u;
    if (key > edge || (isEqual && before.y < edgeCount)) {
      let place = before.x + min(before.y, edgeCount);
      let to = entryAt(part, 1u - half, place);
      if (i < there) { keep(i, to); } else { enter(i - there, to, (part * problem.frames + t) * WIDTH + place); }
      if (key < worst) {
        setMass(to + E_BLANK, NOTHING);
        setMass(to + E_LABEL, NOTHING);
      }
    }
    before += vec2u(u32(key > edge), u32(isEqual));
  }
  workgroupBarrier();
  if (lane == WORKGROUP - 1u) { count = before.x + min(before.y, edgeCount); }
}

fn walk(lane: u32, t: u32) {
  let row = framePlace(part, t) * TOPS;
  half = t % 2u;
  for (var j = lane; j < TOPS; j += WORKGROUP) {
    classes[j] = topLabels[row + j];
    chances[j] = bitcast<f32>(topScores[row + j]);
  }
  if (lane == 0u) {
    atomicStore(&least, 0xffffffffu);
    atomicStore(&largest, 0u);
  }
  storageBarrier();
  workgroupBarrier();
  unit = sum2(massAt(entry(0u) + E_BLANK), massAt(entry(0u) + E_LABEL)).e;
  for (var i = lane; i < count; i += WORKGROUP) { stay(i); }
  storageBarrier();
  workgroupBarrier();
  if (!SPELLED) {
    for (var i = lane; i < count; i += WORKGROUP) { merge(i); }
    for (var i = lane; i < count; i += WORKGROUP) { scoreEntry(i); }
  }
  workgroupBarrier();
  let leastKey = atomicLoad(&least);
  var worst = IMPOSSIBLE;
  if (count == WIDTH && leastKey > 0u && !SPELLED) { worst = bitcast<f32>(fromOrderKey(leastKey)); }
  for (var q = lane; q < count * TOPS * CHOICES; q += WORKGROUP) { extend(q, worst); }
  storageBarrier();
  workgroupBarrier();
  if (SPELLED) {
    for (var i = lane; i < count; i += WORKGROUP) { merge(i); }
    for (var i = lane; i < count; i += WORKGROUP) { scoreEntry(i); }
  }
  for (var q = lane; q < count * TOPS * CHOICES; q += WORKGROUP) { unite(q); }
  storageBarrier();
  workgroupBarrier();
  for (var i = lane; i < count + count * TOPS * CHOICES; i += WORKGROUP) { atomicMax(&largest, keyAt(i)); }
  selectBest(lane, t);
}

@compute @workgroup_size(WORKGROUP)
fn beam(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  part = group.y;
  let first = problem.boxFrame + integer * problem.segment;
  if (lane == 0u) {
    frames = min(targets[part * problem.recordWords], min(problem.boxEnd, first + problem.segment));
    if (first == 0u) {
      begin();
      let e = entryAt(part, 0u, 0u);
      for (var w = 0u; w < ENTRY; w++) { entries[e + w] = 0u; }
      entries[e + E_LOW] = own.low;
      entries[e + E_LOW + 1u] = own.high;
      entries[e + E_LOW + 2u] = own.baseLow;
      entries[e + E_LOW + 3u] = own.baseHigh;
      entries[e + E_LM] = own.lm;
      entries[e + E_LAST] = NONE;
      entries[e + E_AT] = NONE;
      setMass(e + E_BLANK, ONE);
      setMass(e + E_LABEL, NOTHING);
      entries[entriesOf(part)] = 1u;
    }
    count = entries[entriesOf(part)];
  }
  storageBarrier();
  let end = workgroupUniformLoad(&frames);
  for (var t = first; t < end; t++) {
    storageBarrier();
    workgroupBarrier();
    walk(lane, t);
  }
  workgroupBarrier();
  if (lane == 0u) { entries[entriesOf(part)] = count; }
}
