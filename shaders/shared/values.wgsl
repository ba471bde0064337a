// What a float may be that arithmetic must not see: handled as bits.

const MINUS_INFINITY = 0xff800000u;
const INFINITY = 0x7f800000u;
const NAN = 0x7fc00000u;

fn isNaN(bits: u32) -> bool {
  return (bits & 0x7fffffffu) > INFINITY;
}
