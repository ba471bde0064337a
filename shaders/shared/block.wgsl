// A sweep goes through its rows of pairs in blocks that a workgroup holds in registers, four pairs to a
// lane, and through its steps in segments. A block needs nothing of the block to its right, so that the
// left one goes first through a whole segment and leaves one number per step at its edge:
//
//   pairs →    block 0      block 1      block 2
//   segment 0  ▒▒▒▒▒▒▒▒ │   ▒▒▒▒▒▒▒▒ │   ▒▒▒▒▒▒▒▒       one workgroup after another block by block,
//   segment 1  ▒▒▒▒▒▒▒▒ │   ▒▒▒▒▒▒▒▒ │   ▒▒▒▒▒▒▒▒       or each a workgroup that starts a segment later
//   steps ↓             edge         edge
//
// spread.wgsl goes the same way back.

const BLOCK = 4u * LANES;

/// The first step of this dispatch's segment for a group of blocks; before the start of the slice where the group waits.
fn startOf(group: u32) -> i32 {
  return i32(problem.boxFrame) + (i32(integer) - i32(group)) * i32(problem.segment);
}

/// The blocks of a group that may have pairs on whole paths in its segment: wide targets have many that have none.
struct Blocks { first: u32, end: u32 }

fn blocksOf(sequence: Sequence, group: u32) -> Blocks {
  let start = startOf(group);
  let left = max(start - 2 + i32(sequence.targetLength) - i32(sequence.inputLength), 0);
  let right = clamp(start + i32(problem.segment), 0, i32(sequence.targetLength) + 1);
  let first = group * problem.blocks;
  return Blocks(max(first, u32(left) / BLOCK), min(first + problem.blocks, (u32(right) + BLOCK - 1u) / BLOCK));
}

/// Steps of this dispatch's segment for a group of blocks, in which a block has pairs on a whole path; and one
/// more, in which it hands on its last label.
struct Span { first: u32, end: u32 }

fn spanOf(sequence: Sequence, sweep: u32, group: u32, pair: u32) -> Span {
  if (!sequence.feasible || sequence.inputLength == 0u || pair > sequence.targetLength) { return Span(); }
  let start = startOf(group);
  let segmentEnd = min(start + i32(problem.segment), i32(problem.boxEnd));
  let lastPair = min(pair + BLOCK - 1u, sequence.targetLength);
  let bandEnd = lastPair + sequence.inputLength - sequence.targetLength + 2u;
  let end = min(segmentEnd, i32(min(bandEnd, lastStep(sequence, sweep) + 1u)));
  return Span(u32(max(start, i32(max(pair, problem.boxFrame)))), u32(max(end, 0)));
}

/// Whether the pair left of a block was on a whole path one step ago; the block's edge holds its label then.
fn hasLeft(sequence: Sequence, pair: u32, k: u32) -> bool {
  return pair > 0u && pair + sequence.inputLength >= sequence.targetLength + k;
}

/// The same for the pair right of a block, which hands back: at this step.
fn hasRight(sequence: Sequence, pair: u32, k: u32) -> bool {
  return pair <= min(k, sequence.targetLength);
}

fn edgeOf(row: u32, block: u32, k: u32) -> u32 {
  return (row * (problem.pairs / BLOCK) + block) * 2u * problem.segment + k % (2u * problem.segment);
}

/// Four labels in the order of a sweep: their slots, and whether a path may skip the blank before them.
struct Labels { slot: vec4u, skip: vec4<bool> }

fn labelsOf(sequence: Sequence, sweep: u32, pair: u32) -> Labels {
  var labels = Labels(vec4u(problem.distinct + 1u), vec4<bool>());
  for (var j = 0u; j < 4u; j++) {
    let i = pair + j;
    if (i < sequence.targetLength) {
      let word = targets[sequence.base + 4u + placeIn(sweep, sequence, i)];
      labels.slot[j] = word & 0x3fffffffu;
      labels.skip[j] = (word >> (31u - sweep)) % 2u == 1u;
    }
  }
  return labels;
}
