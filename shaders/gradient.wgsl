// For each (t, n), by a workgroup or by one invocation: the gradient with respect to every class,
// each written by one invocation.
//
//   gradient(c) = (softmax(c) − Σ posterior(i) over the places i of class c) · weight · gradOutput
//
// The blank's posterior is summed over S + 1 states in a fixed order; a label's places come from the
// inverse index in the sequence's record. No atomics, so the bits are the same at every run.

@group(0) @binding(4) var<storage, read> frames: array<Frame>;
@group(0) @binding(5) var<storage, read> lattice: array<vec4u>;
@group(0) @binding(6) var<storage, read> totals: array<Total>;
@group(0) @binding(7) var<storage, read> gradOutput: array<u32>;
@group(0) @binding(8) var<storage, read_write> grad: array<u32>;
@group(0) @binding(9) var<uniform> gradShift: u32;

@compute @workgroup_size(WORKGROUP)
fn gradient(@builtin(workgroup_id) group: vec3u, own: Lane) {
  let lane = laneOf(own.index);
  let t = problem.boxFrame + frameOf(group.x, own.index);
  let n = problem.boxSequence + group.y;
  let sequence = sequenceAt(n);
  let line = windowRow(t, n);
  if (t >= problem.boxEnd || line >= problem.rowCount) { return; }
  let start = integer + line * problem.classes;
  let gradStart = gradShift + line * problem.classes;

  let part = n - problem.firstSequence;
  let used = t < sequence.inputLength;
  let k = stepOf(sequence, sweepOf(sequence, t), t);
  // unused frames belong to the first slice
  if (!isHeld(select(0u, k, used))) { return; }
  let total = totals[n];
  if (!used || total.status != REGULAR) {
    let none = !used || (total.status == INFEASIBLE && problem.zeroInfinity != 0u);
    for (var c = lane; c < problem.classes; c += LANES) { grad[gradStart + c] = select(NAN, 0u, none); }
    return;
  }

  let places = posteriorRow(part, sequence, t);
  let end = (min(k, sequence.targetLength) + 4u) / 4u;
  var sums = vec2f(); // of the blanks, of the labels
  for (var q = lane + firstPair(sequence, k) / 4u; q < end; q += LANES) {
    sums += posteriorsOf(places, sequence, k, q);
  }
  sums = sumOf(lane, sums);
  let whole = sums.x + sums.y;

  let frame = frames[framePlace(part, t)];
  let upstream = gradOutput[n * problem.gradOutputStride];
  let exponent = (upstream >> 23u) & 0xffu;
  // 2^±60; the weight is between 1 and 2^-60
  let plain = (exponent > 67u && exponent < 187u) || (upstream & 0x7fffffffu) == 0u;
  var row = Row(frame.largest, 1.0 / frame.normaliser, 0.0, plain, total.weight, upstream);
  if (plain) { row.factor = total.weight * bitcast<f32>(upstream); }

  for (var v = lane; 4u * v < problem.classes; v += LANES) {
    var posteriors = vec4f();
    var rest = occurring(sequence, v);
    if (rest != 0u) {
      for (var slot = firstSlot(sequence, v); rest != 0u; slot++) {
        posteriors[firstTrailingBit(rest)] = posteriorOf(sequence, places, t, slot) / whole;
        rest &= rest - 1u;
      }
    }
    if (v == problem.blank / 4u) { posteriors[problem.blank % 4u] = sums.x / whole; }
    let bits = fourOfRow(v, start);
    let to = gradStart + 4u * v;
    let room = min(problem.classes - 4u * v, 4u);
    if (row.plain && arePlain(bits)) {
      let value = (softmax(bits, row) - posteriors) * row.factor;
      grad[to] = plainBits(value.x);
      if (room > 1u) { grad[to + 1u] = plainBits(value.y); }
      if (room > 2u) { grad[to + 2u] = plainBits(value.z); }
      if (room > 3u) { grad[to + 3u] = plainBits(value.w); }
    } else {
      for (var j = 0u; j < room; j++) { grad[to + j] = rare(bits[j], posteriors[j], row); }
    }
  }
}

/// Sum over the places of a label's class.
fn posteriorOf(sequence: Sequence, row: u32, t: u32, slot: u32) -> f32 {
  var sum = 0.0;
  let end = placesEnd(sequence, slot);
  for (var place = placesEnd(sequence, slot - 1u); place < end; place++) {
    let i = placeAt(sequence, place);
    if (inBand(sequence, i, t)) { sum += labelPosterior(row, sequence, t, i); }
  }
  return sum;
}
