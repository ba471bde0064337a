// The texts of a beam, `WIDTH` of a sequence, as they are before a frame and after it: frame t reads half t % 2 and writes the other one.

/// Words of an entry. First what it is: the bits of its text and of that before its last space, its states, the two texts that it may have
/// come from by its last class, that class, its node of the tree, what is known of it; the masses of a blank and of a label at its end.
const ENTRY = 28u;
const E_LOW = 0u; const E_NODE = 4u; const E_LM = 5u; const E_HOT = 6u; const E_FROM = 7u; const E_OTHER = 9u; const E_LAST = 11u;
const E_AT = 12u; const E_KNOWN = 13u; const E_BLANK = 14u; const E_LABEL = 16u;
/// Then what a frame makes of it: the masses that stay, that of both before, its key, ln of the masses that may leave with what is known,
/// and the next entry of its bucket.
const E_NEXT_BLANK = 18u; const E_NEXT_LABEL = 20u; const E_TOTAL = 22u; const E_KEY = 24u; const E_LEAVING = 25u; const E_AGAIN = 26u;
const E_CHAIN = 27u;

@group(0) @binding(4) var<storage, read_write> entries: array<u32>;

/// Where the entries of a sequence begin; in front of them is how many there are.
fn entriesOf(part: u32) -> u32 { return part * (1u + 2u * WIDTH * ENTRY); }
fn entryAt(part: u32, half: u32, i: u32) -> u32 { return entriesOf(part) + 1u + (half * WIDTH + i) * ENTRY; }

fn massAt(place: u32) -> Extended { return Extended(bitcast<f32>(entries[place]), bitcast<i32>(entries[place + 1u])); }
fn setMass(place: u32, mass: Extended) {
  entries[place] = bitcast<u32>(mass.m);
  entries[place + 1u] = bitcast<u32>(mass.e);
}

/// ln of a mass in units of 2^e.
fn lnOf(mass: Extended, e: i32) -> f32 {
  if (mass.m == 0.0) { return IMPOSSIBLE; }
  let m = lnMantissa(mass.m);
  return f32(mass.e - e + m.k) * 0.69314718 + m.r;
}

fn sum2(a: Extended, b: Extended) -> Extended { return sum3(a, b, NOTHING); }
