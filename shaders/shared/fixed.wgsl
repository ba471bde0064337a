/// A 64-bit integer in units of 2^−30: sums of it are exact, in any order. A float sum of T equal terms drifts.
struct Fixed { high: i32, low: u32 }

/// Of −2 < v < 2, as the scales of frames and posteriors are: an integer of 32 bits has no more.
fn toFixed(v: f32) -> Fixed {
  let units = i32(round(v * 1073741824.0));
  return Fixed(units >> 31u, bitcast<u32>(units));
}

/// Of a share, 0 ≤ v ≤ 1, the same by additions alone, where a conversion would take most of a loop's time: 1 + v has units of 2^−23
/// in its last bits, 1.5 · 2^−7 + the rest those of 2^−30.
fn fixedShare(v: f32) -> Fixed {
  let coarse = bitcast<i32>(1.0 + v) - bitcast<i32>(1.0);
  let rest = v - f32(coarse) * 1.1920929e-7;
  return Fixed(0, bitcast<u32>((coarse << 7u) + bitcast<i32>(0.01171875 + rest) - bitcast<i32>(0.01171875)));
}

fn fixedSum(a: Fixed, b: Fixed) -> Fixed {
  let low = a.low + b.low;
  return Fixed(a.high + b.high + select(0, 1, low < a.low), low);
}

fn toFloat(v: Fixed) -> f32 {
  return f32(v.high) * 4.0 + f32(v.low) * 9.3132257e-10;
}
