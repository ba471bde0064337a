// Prefix beam search over texts, a workgroup for a sequence, many frames of it in a dispatch. Of each frame:
//
//   stay      each text by a blank, or by its last class once more
//   merge     what comes to a text that is there from another one that is there
//   extend    every text by every class that may be among the best: ways to new texts
//   unite     ways to one text are one
//   choose    the best of both, into the other half, and the new ones into the tree
//
// The tree has WIDTH nodes for each frame: the node before, and the class with the exit before it. Lanes find texts in buckets, whose order
// changes from run to run; all that is summed or placed goes by the order of entries and ways, which does not.

@group(0) @binding(5) var<storage, read> topLabels: array<u32>;
@group(0) @binding(6) var<storage, read> topScores: array<u32>;
@group(0) @binding(7) var<storage, read_write> tree: array<u32>;
@group(0) @binding(8) var<storage, read_write> ways: array<u32>;

/// Words of a way: which it is, the bits of its text and its states, its mass, what is known, the next one of its bucket; key and mass of all ways
/// to its text. The last word is not of the way but of a list, first of names, then of the ways that are chosen, whose names stand at the chain.
const WAY = 16u;
const W_NAME = 0u; const W_TEXT = 1u; const W_MASS = 8u; const W_KNOWN = 10u; const W_CHAIN = 11u; const W_KEY = 12u; const W_ALL = 13u;
const W_LISTED = 15u;

const BUCKETS = 256u;
var<workgroup> texts: array<atomic<u32>, BUCKETS>;
var<workgroup> targetsOf: array<atomic<u32>, BUCKETS>;
var<workgroup> classes: array<u32, TOPS>;
var<workgroup> chances: array<f32, TOPS>;
var<workgroup> areLetters: array<u32, TOPS>;
var<workgroup> lengths: array<u32, WORKGROUP>;
var<workgroup> count: u32;
var<workgroup> frames: u32;
var<workgroup> least: atomic<u32>;
var<workgroup> largest: atomic<u32>;
var<workgroup> listCount: atomic<u32>;
var<workgroup> wayCount: atomic<u32>;
var<workgroup> newCount: atomic<u32>;
var<private> part: u32;
var<private> half: u32;
/// Scores lie around it.
var<private> unit: i32;

fn entry(i: u32) -> u32 { return entryAt(part, half, i); }
fn way(w: u32) -> u32 { return (part * WIDTH * TOPS * choices() + w) * WAY; }
fn massOf(w: u32) -> Extended { return Extended(bitcast<f32>(ways[way(w) + W_MASS]), bitcast<i32>(ways[way(w) + W_MASS + 1u])); }

/// What is chosen from: the texts that are there, then the ways.
fn keyAt(i: u32) -> u32 {
  if (i < count) { return entries[entry(i) + E_KEY]; }
  return ways[way(i - count) + W_KEY];
}

fn keyOf(score: f32) -> u32 { return select(orderKey(bitcast<u32>(score)), 0u, score < 0.5 * IMPOSSIBLE); }

/// Entry, class and choice of a way.
fn partsOf(name: u32) -> vec3u {
  let each = choices();
  return vec3u(name / (TOPS * each), (name / each) % TOPS, name % each);
}

fn times(mass: Extended, score: f32) -> Extended {
  let r = reduce(score, 1 << 28);
  let chance = product(mass, normalised(expNearZero(r.r), r.k));
  if (score < 0.5 * IMPOSSIBLE) { return NOTHING; }
  return chance;
}

fn chanceOf(label: u32) -> f32 {
  for (var j = 0u; j < TOPS; j++) { if (classes[j] == label) { return chances[j]; } }
  return IMPOSSIBLE;
}

/// The mass of going on by a class: by the last one only after a blank.
fn leaving(e: u32, label: u32) -> Extended { return massAt(e + select(E_TOTAL, E_BLANK, entries[e + E_LAST] == label)); }

fn stay(i: u32, ofBlank: f32) {
  let e = entry(i);
  let blank = massAt(e + E_BLANK);
  let total = sum2(blank, massAt(e + E_LABEL));
  let known = bitcast<f32>(entries[e + E_KNOWN]);
  setMass(e + E_TOTAL, total);
  setMass(e + E_NEXT_BLANK, times(total, ofBlank));
  setMass(e + E_NEXT_LABEL, times(massAt(e + E_LABEL), chanceOf(entries[e + E_LAST])));
  entries[e + E_LEAVING] = bitcast<u32>(lnOf(total, unit) + known);
  entries[e + E_AGAIN] = bitcast<u32>(lnOf(blank, unit) + known);
  entries[e + E_CHAIN] = atomicExchange(&texts[entries[e + E_LOW] % BUCKETS], i + 1u);
}

/// The masses that come to `label` from entries of one text, in their order.
fn comesFrom(low: u32, high: u32, label: u32, score: f32) -> Extended {
  var sum = NOTHING;
  var after = 0u;
  loop {
    var next = NONE;
    for (var s = atomicLoad(&texts[low % BUCKETS]); s != 0u; s = entries[entry(s - 1u) + E_CHAIN]) {
      let e = entry(s - 1u);
      if (s > after && s < next && entries[e + E_LOW] == low && entries[e + E_LOW + 1u] == high) { next = s; }
    }
    if (next == NONE) { break; }
    sum = sum2(sum, times(leaving(entry(next - 1u), label), score));
    after = next;
  }
  return sum;
}

/// All ways to a text by a class, in their order.
fn comesBy(low: u32, high: u32, label: u32) -> Extended {
  var sum = NOTHING;
  var after = 0u;
  loop {
    var next = NONE;
    var found = 0u;
    for (var s = atomicLoad(&targetsOf[low % BUCKETS]); s != 0u; s = ways[way(s - 1u) + W_CHAIN]) {
      let w = way(s - 1u);
      let name = ways[w + W_NAME];
      if (name + 1u > after && name < next && ways[w + W_TEXT] == low && ways[w + W_TEXT + 1u] == high) {
        if (classes[partsOf(name).y] == label) {
          next = name;
          found = s;
        }
      }
    }
    if (next == NONE) { break; }
    sum = sum2(sum, massOf(found - 1u));
    after = next + 1u;
  }
  return sum;
}

/// What comes to an entry from the texts that it is without its last class; where words are spelled, by the ways that lead to it.
fn merge(i: u32) {
  let e = entry(i);
  let last = entries[e + E_LAST];
  var sum = massAt(e + E_NEXT_LABEL);
  if (SPELLED) {
    sum = sum2(sum, comesBy(entries[e + E_LOW], entries[e + E_LOW + 1u], last));
  } else {
    let score = chanceOf(last);
    var turns = select(1u, 2u, entries[e + E_OTHER] != entries[e + E_FROM] || entries[e + E_OTHER + 1u] != entries[e + E_FROM + 1u]);
    if (last == NONE || score < 0.5 * IMPOSSIBLE) { turns = 0u; }
    for (var turn = 0u; turn < turns; turn++) {
      let place = e + select(E_FROM, E_OTHER, turn == 1u);
      sum = sum2(sum, comesFrom(entries[place], entries[place + 1u], last, score));
    }
  }
  setMass(e + E_NEXT_LABEL, sum);
  let key = keyOf(lnOf(sum2(massAt(e + E_NEXT_BLANK), sum), unit) + bitcast<f32>(entries[e + E_KNOWN]));
  entries[e + E_KEY] = key;
  atomicMin(&least, key);
  atomicMax(&largest, key);
}

fn isThere(label: u32) -> bool {
  for (var s = atomicLoad(&texts[own.low % BUCKETS]); s != 0u; s = entries[entry(s - 1u) + E_CHAIN]) {
    let e = entry(s - 1u);
    if (entries[e + E_LOW] == own.low && entries[e + E_LOW + 1u] == own.high && entries[e + E_LAST] == label) { return true; }
  }
  return false;
}

/// What a text and a class weigh together, before it is asked what is known of both.
fn togetherOf(e: u32, label: u32, score: f32) -> f32 {
  return bitcast<f32>(entries[e + select(E_LEAVING, E_AGAIN, entries[e + E_LAST] == label)]) + score;
}

/// Lists by their names the ways from an entry that may be among the best: few are, so that lanes ask for those alone what is known. Classes come in
/// descending order, so that behind one that is too unlikely for anything there is none.
fn list(i: u32, worst: f32) {
  let e = entry(i);
  let node = entries[e + E_NODE];
  let last = entries[e + E_LAST];
  let leaves = bitcast<f32>(entries[e + E_LEAVING]);
  let again = bitcast<f32>(entries[e + E_AGAIN]);
  let first = max(0.0, bitcast<f32>(knowledge[MOST_FIRST]));
  let token = bitcast<f32>(knowledge[MOST_TOKEN]);
  let letter = token + numberAt(HOT_MOST, entries[e + E_HOT]) + select(0.0, first, node == 0u);
  let other = token + first + bitcast<f32>(knowledge[MOST_HEARD]) + bitcast<f32>(knowledge[MOST_LEAVING]);
  for (var j = 0u; j < TOPS; j++) {
    let label = classes[j];
    if (label == NONE || leaves + chances[j] + max(letter, other) < worst) { break; }
    let before = select(leaves, again, label == last) + chances[j];
    let most = select(other, letter, areLetters[j] != 0u);
    if (label == problem.blank || before < 0.5 * IMPOSSIBLE || before + most < worst) { continue; }
    for (var x = 0u; x < choices(); x++) {
      if (!isChoice(label, node, x)) { continue; }
      ways[way(atomicAdd(&listCount, 1u)) + W_LISTED] = (i * TOPS + j) * choices() + x;
    }
  }
}

fn extend(name: u32, worst: f32) {
  let parts = partsOf(name);
  let label = classes[parts.y];
  let score = chances[parts.y];
  let e = entry(parts.x);
  let before = togetherOf(e, label, score);
  let node = entries[e + E_NODE];
  own = Text(
    entries[e + E_LOW], entries[e + E_LOW + 1u], entries[e + E_LOW + 2u], entries[e + E_LOW + 3u],
    node, entries[e + E_LM], entries[e + E_HOT],
  );
  let worth = goOn(label, choice(label, node, parts.z));
  if (worth < 0.5 * IMPOSSIBLE || before + worth < worst) { return; }
  if (!SPELLED && isThere(label)) { return; }
  let w = atomicAdd(&wayCount, 1u);
  let to = way(w);
  let mass = times(leaving(e, label), score);
  ways[to + W_NAME] = name;
  ways[to + W_TEXT] = own.low;
  ways[to + W_TEXT + 1u] = own.high;
  ways[to + W_TEXT + 2u] = own.baseLow;
  ways[to + W_TEXT + 3u] = own.baseHigh;
  ways[to + W_TEXT + 4u] = own.node;
  ways[to + W_TEXT + 5u] = own.lm;
  ways[to + W_TEXT + 6u] = own.hot;
  ways[to + W_MASS] = bitcast<u32>(mass.m);
  ways[to + W_MASS + 1u] = bitcast<u32>(mass.e);
  ways[to + W_KNOWN] = bitcast<u32>(bitcast<f32>(entries[e + E_KNOWN]) + worth);
  ways[to + W_CHAIN] = atomicExchange(&targetsOf[own.low % BUCKETS], w + 1u);
}

/// Ways to one text are its first one, with the sum of their masses; what leads to a text that is there is none.
fn unite(w: u32) {
  let to = way(w);
  let name = ways[to + W_NAME];
  let label = classes[partsOf(name).y];
  own.low = ways[to + W_TEXT];
  own.high = ways[to + W_TEXT + 1u];
  var isFirst = !(SPELLED && isThere(label));
  var isAlone = true;
  for (var s = atomicLoad(&targetsOf[own.low % BUCKETS]); s != 0u; s = ways[way(s - 1u) + W_CHAIN]) {
    let other = way(s - 1u);
    if (other == to || ways[other + W_TEXT] != own.low || ways[other + W_TEXT + 1u] != own.high) { continue; }
    if (classes[partsOf(ways[other + W_NAME]).y] != label) { continue; }
    isAlone = false;
    isFirst &= ways[other + W_NAME] > name;
  }
  ways[to + W_KEY] = 0u;
  if (!isFirst) { return; }
  var sum = massOf(w);
  if (!isAlone) { sum = comesBy(own.low, own.high, label); }
  let key = keyOf(lnOf(sum, unit) + bitcast<f32>(ways[to + W_KNOWN]));
  ways[to + W_KEY] = key;
  ways[to + W_ALL] = bitcast<u32>(sum.m);
  ways[to + W_ALL + 1u] = bitcast<u32>(sum.e);
  atomicMax(&largest, key);
}

/// Whether item i is chosen: what is equal to the edge in the order of entries and ways.
fn isChosen(i: u32, items: u32, worst: u32) -> bool {
  let key = keyAt(i);
  if (key != edge || key == 0u || key < worst) { return key > edge && key >= worst; }
  if (edgeKeys <= edgeCount) { return true; }
  var rank = 0u;
  for (var j = 0u; j < items && rank < edgeCount; j++) { rank += u32(keyAt(j) == edge && orderOf(j) < orderOf(i)); }
  return rank < edgeCount;
}

fn orderOf(i: u32) -> u32 {
  if (i < count) { return i; }
  return count + ways[way(i - count) + W_NAME];
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
  return !SPELLED && !has(LABELS) && at < wordAt(SYMBOL_START, label + 1u) && wordAt(SYMBOLS, at) == SPACE;
}

/// A way becomes an entry.
fn enter(w: u32, to: u32, node: u32) {
  let c = way(w);
  let parts = partsOf(ways[c + W_NAME]);
  let e = entry(parts.x);
  let label = classes[parts.y];
  for (var k = 0u; k < 7u; k++) { entries[to + k] = ways[c + W_TEXT + k]; }
  for (var k = 0u; k < 2u; k++) {
    entries[to + E_FROM + k] = entries[e + E_LOW + k];
    entries[to + E_OTHER + k] = entries[e + E_LOW + k];
  }
  // a space that adds nothing comes behind one; the text without it may be that before the first one
  if (beginsWithSpace(label)) {
    own.low = entries[e + E_LOW];
    own.high = entries[e + E_LOW + 1u];
    mix(SPACE);
    let atSpace = entries[e + E_NODE] == 0u;
    entries[to + E_OTHER] = select(own.low, entries[e + E_LOW + 2u], atSpace);
    entries[to + E_OTHER + 1u] = select(own.high, entries[e + E_LOW + 3u], atSpace);
  }
  entries[to + E_LAST] = label;
  entries[to + E_AT] = node;
  entries[to + E_KNOWN] = ways[c + W_KNOWN];
  setMass(to + E_BLANK, NOTHING);
  entries[to + E_LABEL] = ways[c + W_ALL];
  entries[to + E_LABEL + 1u] = ways[c + W_ALL + 1u];
  tree[2u * node] = entries[e + E_AT];
  tree[2u * node + 1u] = label | (u32(choice(label, entries[e + E_NODE], parts.z) + 1) << 20u);
}

fn choose(lane: u32, t: u32) {
  let there = count;
  let made = atomicLoad(&wayCount);
  let items = there + made;
  // no text is looked for any more in this frame
  for (var i = lane; i < there; i += WORKGROUP) { atomicStore(&texts[entries[entry(i) + E_LOW] % BUCKETS], 0u); }
  for (var w = lane; w < made; w += WORKGROUP) { atomicStore(&targetsOf[ways[way(w) + W_TEXT] % BUCKETS], 0u); }
  findEdge(lane, items);
  // texts too far below the best one are dropped
  let worst = keyOf(bitcast<f32>(fromOrderKey(atomicLoad(&largest))) + bitcast<f32>(LEAST_TEXT));
  // what stays comes first, in its order, then what is new, by its name
  var chosen = 0u;
  let share = (there + WORKGROUP - 1u) / WORKGROUP;
  let first = min(lane * share, there);
  let end = min(first + share, there);
  for (var i = first; i < end; i++) { chosen += u32(isChosen(i, items, worst)); }
  lengths[lane] = chosen;
  for (var w = lane; w < made; w += WORKGROUP) {
    if (!isChosen(there + w, items, worst)) { continue; }
    let place = way(atomicAdd(&newCount, 1u));
    ways[place + W_LISTED] = w;
    ways[place + W_CHAIN] = ways[way(w) + W_NAME];
  }
  storageBarrier();
  workgroupBarrier();
  var before = 0u;
  var kept = 0u;
  for (var l = 0u; l < WORKGROUP; l++) {
    before += select(0u, lengths[l], l < lane);
    kept += lengths[l];
  }
  for (var i = first; i < end; i++) {
    if (isChosen(i, items, worst)) {
      keep(i, entryAt(part, 1u - half, before));
      before++;
    }
  }
  let entering = atomicLoad(&newCount);
  for (var l = lane; l < entering; l += WORKGROUP) {
    var place = kept;
    for (var v = 0u; v < entering; v++) { place += u32(ways[way(v) + W_CHAIN] < ways[way(l) + W_CHAIN]); }
    enter(ways[way(l) + W_LISTED], entryAt(part, 1u - half, place), (part * problem.frames + t) * WIDTH + place);
  }
  workgroupBarrier();
  if (lane == 0u) { count = kept + entering; }
}

fn walk(lane: u32, t: u32) {
  let row = framePlace(part, t) * TOPS;
  half = t % 2u;
  for (var j = lane; j < TOPS; j += WORKGROUP) {
    classes[j] = topLabels[row + j];
    chances[j] = bitcast<f32>(topScores[row + j]);
    if (classes[j] != NONE) { areLetters[j] = u32(wordAt(KINDS, classes[j]) == 0u); }
  }
  if (lane == 0u) {
    atomicStore(&least, 0xffffffffu);
    atomicStore(&largest, 0u);
    atomicStore(&listCount, 0u);
    atomicStore(&wayCount, 0u);
    atomicStore(&newCount, 0u);
  }
  storageBarrier();
  workgroupBarrier();
  unit = max(massAt(entry(0u) + E_BLANK).e, massAt(entry(0u) + E_LABEL).e);
  let ofBlank = chanceOf(problem.blank);
  for (var i = lane; i < count; i += WORKGROUP) { stay(i, ofBlank); }
  storageBarrier();
  workgroupBarrier();
  // where words are spelled, ways come first, since those to what is there are merged
  for (var turn = 0u; turn < 2u; turn++) {
    if ((turn == 0u) == SPELLED) {
      let leastKey = atomicLoad(&least);
      let isFull = !SPELLED && count == WIDTH && leastKey > 0u;
      let worst = select(IMPOSSIBLE, bitcast<f32>(fromOrderKey(select(1u, leastKey, isFull))), isFull);
      for (var i = lane; i < count; i += WORKGROUP) { list(i, worst); }
      storageBarrier();
      workgroupBarrier();
      let listed = atomicLoad(&listCount);
      for (var s = lane; s < listed; s += WORKGROUP) { extend(ways[way(s) + W_LISTED], worst); }
    } else {
      for (var i = lane; i < count; i += WORKGROUP) { merge(i); }
    }
    storageBarrier();
    workgroupBarrier();
  }
  let made = atomicLoad(&wayCount);
  for (var w = lane; w < made; w += WORKGROUP) { unite(w); }
  storageBarrier();
  workgroupBarrier();
  choose(lane, t);
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
  for (var b = lane; b < BUCKETS; b += WORKGROUP) {
    atomicStore(&texts[b], 0u);
    atomicStore(&targetsOf[b], 0u);
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
