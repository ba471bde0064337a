// The targets of one sequence: a record of words, padded to 256 bytes so that any range of records binds.
//
//   0  input length T_n
//   1  target length S_n
//   2  1 if T_n has room for the labels and the blanks between repeats, else 0
//   3  number of distinct labels; slot 0 stands for the blank, slots 1, 2, … for them
//   4                 S words      slots of the labels; bit 31: differs from the label before it,
//                                  bit 30: from the one after: a path may skip the blank between
//   4 + S             D + 1 words  classes of the slots, those of the labels ascending
//   5 + S + D         D + 1 words  the labels of slot j are at places[end of j − 1 .. end of j]
//   6 + S + 2D        S words      places, sorted by class
//   6 + 2S + 2D       2⌈C/32⌉      for each 32 classes: which occur (bits), how many occur before them
//
// Where targets are texts the last slot is that of the blank or the delimiter, whichever it is.

/// In place of a class: whatever is said there. The slot after those of all classes.
const STAR = 0xfffffffeu; // −2

struct Sequence { base: u32, inputLength: u32, targetLength: u32, feasible: bool }

@group(0) @binding(2) var<storage, read> targets: array<u32>;

fn sequenceAt(n: u32) -> Sequence {
  let base = (n - problem.firstSequence) * problem.recordWords;
  return Sequence(base, targets[base], targets[base + 1u], targets[base + 2u] != 0u);
}

/// Emissions below 2^−range count as zero: over T_n frames alpha.e + beta.e − Z.e must not wrap, nor a sum of
/// the units' exponents.
fn rangeOf(sequence: Sequence) -> i32 {
  return min(1048576, 536870912 / i32(max(sequence.inputLength, 1u)));
}

/// What the loss of a sequence counts in the reduction.
fn weightOf(sequence: Sequence) -> f32 {
  let share = f32(problem.sequences) * f32(max(sequence.targetLength, 1u));
  return select(1.0, 1.0 / share, problem.mean != 0u);
}

/// The slot of a label, without its bits.
fn slotAt(sequence: Sequence, i: u32) -> u32 {
  return targets[sequence.base + 4u + i] & 0x3fffffffu;
}

fn maySkip(sequence: Sequence, i: u32) -> bool {
  return (targets[sequence.base + 4u + i] >> 31u) != 0u;
}

fn slotsOf(sequence: Sequence) -> u32 {
  return targets[sequence.base + 3u] + 1u;
}

fn classOf(sequence: Sequence, slot: u32) -> u32 {
  return targets[sequence.base + 4u + problem.labels + slot];
}

/// How far the star is below the best class of a frame: 0.01 below the blank, since it must pass through the silence between the words that it
/// stands for, yet leave the silence at its ends to the blank; 0.02 below another class, so that it takes no frame from one that is right.
fn belowBest(isBlankBest: bool) -> f32 { return select(0.02, 0.01, isBlankBest); }

/// Whether the star is among the labels, and then has the last slot.
fn hasStar(sequence: Sequence) -> bool { return classOf(sequence, slotsOf(sequence) - 1u) == STAR; }

/// The labels of slot j are at the places from placesEnd(j − 1) to placesEnd(j).
fn placesEnd(sequence: Sequence, slot: u32) -> u32 {
  return targets[sequence.base + 5u + problem.labels + problem.distinct + slot];
}

/// Which of the classes 4v to 4v + 3 occur among the labels, as bits.
fn occurring(sequence: Sequence, v: u32) -> u32 {
  return (targets[classTable(sequence, v)] >> (4u * (v % 8u))) & 15u;
}

/// The slot of the first of them.
fn firstSlot(sequence: Sequence, v: u32) -> u32 {
  let word = classTable(sequence, v);
  return 1u + targets[word + 1u] + countOneBits(targets[word] & ((1u << (4u * (v % 8u))) - 1u));
}

fn classTable(sequence: Sequence, v: u32) -> u32 {
  return sequence.base + 6u + 2u * (problem.labels + problem.distinct + v / 8u);
}

fn placeAt(sequence: Sequence, i: u32) -> u32 {
  return targets[sequence.base + 6u + problem.labels + 2u * problem.distinct + i];
}

/// The first pair at frame t that can still reach the end.
fn firstPair(sequence: Sequence, t: u32) -> u32 {
  return u32(max(0, i32(sequence.targetLength + t) - i32(sequence.inputLength)));
}

/// Pairs that a path can be in at frame t and still reach both ends. Outside this band a pair is zero
/// by its index; memory there holds whatever an earlier run left.
fn inBand(sequence: Sequence, pair: u32, t: u32) -> bool {
  return pair <= min(t, sequence.targetLength) && pair + sequence.inputLength >= sequence.targetLength + t;
}
