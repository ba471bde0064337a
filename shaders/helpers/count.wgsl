// executed ← executed + 1
//
// No part of a plan: what `encode` records before the kernels, so that the host can find out how much of what it has
// encoded was submitted. Submissions follow each other, so that one invocation needs no atomics.

@group(0) @binding(0) var<storage, read_write> executed: u32;

@compute @workgroup_size(1)
fn count() {
  executed += 1u;
}
