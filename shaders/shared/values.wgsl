// What a float may be that arithmetic must not see: handled as bits.

const MINUS_INFINITY = 0xff800000u;
const INFINITY = 0x7f800000u;
const NAN = 0x7fc00000u;

fn isNaN(bits: u32) -> bool {
  return (bits & 0x7fffffffu) > INFINITY;
}

/// Integers in the order of the floats; NaN of either sign above all.
fn orderKey(bits: u32) -> u32 {
  let key = bits ^ select(0x80000000u, 0xffffffffu, bits >> 31u == 1u);
  return select(key, 0xffffffffu, isNaN(bits));
}

fn fromOrderKey(key: u32) -> u32 {
  return key ^ select(0xffffffffu, 0x80000000u, key >> 31u == 1u);
}
