// number ← 128 · number + digit
//
// No part of a plan: five of these, with the digits of a number that `encode` was given, leave that number, whatever was there
// before. So it is written when the encode is executed, with no buffer for it and nothing on the queue.

@group(0) @binding(0) var<uniform> digit: i32;
@group(0) @binding(1) var<storage, read_write> number: u32;

@compute @workgroup_size(1)
fn appendDigit() {
  number = 128u * number + u32(digit);
}
