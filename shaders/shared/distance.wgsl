// An emission of the best path: how far its score is below the largest of its frame. The other form of emission.wgsl: the same names.

/// 1 for a sequence whose costs may be far, or sum up to what is: viterbi.wgsl counts in another way there.
@group(0) @binding(6) var<storage, read_write> masks: array<atomic<u32>>;

const ARE_COSTS = true;
const NO_EMISSION = Emission(0u, UNREACHABLE);
const CERTAIN = Emission();

fn starEmission(isBlankBest: bool) -> Emission { return unitsOf(belowBest(isBlankBest)); }

fn unitOf(x: f32, range: i32) -> Reduced { return Reduced(); }

/// Whether the bits of two scores are below 2^26, as all are that a model gives.
fn areOrdinary(a: u32, b: u32) -> bool { return max(a & 0x7fffffffu, b & 0x7fffffffu) < 0x4c800000u; }

/// In units, towards zero; beyond ±2^27 nothing that means anything.
fn unitsOf(x: f32) -> Emission {
  let size = min(abs(x), 134217728.0);
  let whole = u32(size);
  let part = u32((size - f32(whole)) * 67108864.0);
  let units = Emission((whole << 26u) | part, whole >> 6u);
  return select(units, minus(Emission(), units), x < 0.0);
}

fn minus(a: Emission, b: Emission) -> Emission {
  return Emission(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn emission(bits: u32, frame: Frame, range: i32) -> Emission {
  let cost = minus(unitsOf(frame.largest), unitsOf(bitcast<f32>(bits)));
  let any = select(Emission(bits, MARK), cost, areOrdinary(bits, bitcast<u32>(frame.largest)));
  return select(any, NO_EMISSION, bits == MINUS_INFINITY);
}

/// Where a label has no class.
fn noEmission(frame: Frame) -> Emission { return Emission(bitcast<u32>(frame.largest), UNREACHABLE); }

/// Whether T_n such costs may sum up to what is far.
fn mayBeFar(cost: Emission, range: i32) -> bool { return cost.y >= u32(range) >> 8u && cost.y < UNREACHABLE; }

fn noteFar(part: u32) { atomicStore(&masks[part], 1u); }

fn eitherEmission(a: Emission, b: Emission) -> Emission { return a; }
