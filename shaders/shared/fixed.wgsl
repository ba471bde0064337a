/// A 64-bit integer in units of 2^−30: sums of it are exact, in any order. A float sum of T equal terms drifts.
struct Fixed { high: i32, low: u32 }

/// v must lie between −2 and 2, as the scales of frames and posteriors do: an integer of 32 bits has no more.
fn toFixed(v: f32) -> Fixed {
  let units = i32(round(v * 1073741824.0));
  return Fixed(units >> 31u, bitcast<u32>(units));
}

fn fixedSum(a: Fixed, b: Fixed) -> Fixed {
  let low = a.low + b.low;
  return Fixed(a.high + b.high + select(0, 1, low < a.low), low);
}

fn toFloat(v: Fixed) -> f32 {
  return f32(v.high) * 4.0 + f32(v.low) * 9.3132257e-10;
}
