// For each label of each sequence, by one invocation: how many frames it is expected to last, and the largest posterior
// that it has in a frame; a piece of a slice at a time, from both ends. The sums are of integers: however time is cut, and in
// whatever order its pieces come, the bits are the same.

@group(0) @binding(4) var<storage, read_write> sums: array<Fixed>;
@group(0) @binding(5) var<storage, read_write> durations: array<u32>;
@group(0) @binding(6) var<storage, read_write> confidences: array<u32>;
@group(0) @binding(7) var<storage, read> lattice: array<vec4f>;
@group(0) @binding(8) var<storage, read> totals: array<Total>;

/// Sums over a piece, of at most 2^14 steps of each sweep, in units of 2^−15 and 2^−30; and the largest share.
struct Shares { coarse: u32, fine: u32, most: f32 }
const COARSE = 256.0;
const FINE = 0.01171875;

/// To make an integer of each share, 0 ≤ share ≤ 1, would take most of the loop's time. Additions do the same: the last bits of 256 + share
/// are its units of 2^−15, those of 1.5 · 2^−7 + the rest are units of 2^−30.
fn withShare(sum: Shares, share: f32) -> Shares {
  let coarse = bitcast<u32>(COARSE + share) - bitcast<u32>(COARSE);
  let rest = share - f32(i32(coarse)) * 3.0517578e-5;
  return Shares(sum.coarse + coarse, sum.fine + bitcast<u32>(FINE + rest) - bitcast<u32>(FINE), max(sum.most, share));
}

@compute @workgroup_size(WORKGROUP)
fn expectedDurations(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let part = id.y;
  if (i >= problem.labels) { return; }
  let n = problem.firstSequence + part;
  let sequence = sequenceAt(n);
  let place = n * problem.labels + i;
  let sumPlace = part * problem.labels + i;
  var before = Fixed();
  var piece = Shares();
  if (!FIRST || integer > 0u) {
    before = sums[sumPlace];
    piece.most = bitcast<f32>(confidences[place]);
  }
  let is = i < sequence.targetLength;
  let regular = totals[n].status == REGULAR;
  if (is && regular && sequence.inputLength > 0u) {
    let first = problem.boxFrame + integer * problem.segment;
    let end = min(first + problem.segment, problem.boxEnd);
    for (var sweep = 0u; sweep < 2u; sweep++) {
      let pair = placeIn(sweep, sequence, i);
      // the middle frame counts once
      let steps = lastStep(sequence, sweep) + 1u - sweep;
      let bandEnd = pair + sequence.inputLength + 1u - sequence.targetLength;
      for (var k = max(first, pair); k < min(min(end, steps), bandEnd); k++) {
        piece = withShare(piece, lattice[stepRow(part, sweep, k) + pair / 4u][pair % 4u]);
      }
    }
  }
  let fine = Fixed(bitcast<i32>(piece.fine) >> 31u, piece.fine);
  let sum = fixedSum(before, fixedSum(Fixed(i32(piece.coarse >> 17u), piece.coarse << 15u), fine));
  sums[sumPlace] = sum;
  durations[place] = select(bitcast<u32>(toFloat(sum)), NAN, is && !regular);
  confidences[place] = select(bitcast<u32>(piece.most), NAN, is && !regular);
}
