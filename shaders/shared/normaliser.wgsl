// One pass over a row of logits: the largest, and what the others sum to beside it. A lane takes four
// scores at a time, and counts in units of exp(largest so far):
//
//   scores     … 1.5  0.2  -3.0  2.0 │ 2.5  0.0  …
//   largest              2.0         │ 2.5            equal to it       1
//   rest       e^(1.5-2.0) + …       │ times e^(2.0-2.5), with those that were the largest before
//
// The largest itself is counted and not summed: ln(1 + rest) keeps every digit of a confident frame.

const LOWEST_BITS = 0xff7fffffu; // of the lowest finite float32

/// `place`: the four scores with the first of the largest.
struct Seen { largest: f32, equal: f32, rest: f32, key: u32, place: u32 }

/// What a lane sees of the row that starts at element `start`.
fn laneOfRow(lane: u32, start: u32) -> Seen {
  var seen = Seen(bitcast<f32>(LOWEST_BITS), 0.0, 0.0, 0u, 0u);
  for (var v = lane; 4u * v < problem.classes; v += LANES) {
    let bits = fourOfRow(v, start);
    // NaN of either sign and +Infinity lie above all finite floats, as integers with or without a sign
    if (any(bitcast<vec4i>(bits) > vec4i(0x7f7fffff)) || any(bits > vec4u(MINUS_INFINITY))) { seen.key = 0xffffffffu; }
    let x = finite(bits);
    let largest = max(max(x.x, x.y), max(x.z, x.w));
    if (largest > seen.largest) {
      seen.rest = beside(seen, largest);
      seen.equal = 0.0;
      seen.largest = largest;
      seen.place = v;
    }
    let same = x == vec4f(seen.largest);
    let e = select(expOfTwice(max(0.5 * x - 0.5 * seen.largest, vec4f(-44.0))), vec4f(), same);
    let equal = vec4u(same);
    seen.rest += (e.x + e.y) + (e.z + e.w);
    seen.equal += f32((equal.x + equal.y) + (equal.z + equal.w));
  }
  seen.key = max(seen.key, orderKey(bitcast<u32>(seen.largest)));
  return seen;
}

/// All that was seen, in units of a larger one.
fn beside(seen: Seen, largest: f32) -> f32 {
  return (seen.rest + seen.equal) * expOfTwice(vec4f(max(0.5 * seen.largest - 0.5 * largest, -44.0))).x;
}

/// Of all lanes, beside the largest score of the row, whose key is given: the sum of the others, and how many are equal to it.
/// A lane that saw nothing larger has counted the lowest finite number by itself.
fn sumOfRow(lane: u32, seen: Seen, key: u32) -> vec2f {
  let largest = bitcast<f32>(fromOrderKey(key));
  var sum = vec2f(seen.rest, seen.equal);
  if (seen.largest != largest) { sum = vec2f(beside(seen, largest), 0.0); }
  return sumOf(lane, sum);
}

/// How many of a lane's scores are the lowest finite number, which `finite` makes of −Infinity, too.
fn countLowest(lane: u32, start: u32) -> f32 {
  var count = 0.0;
  for (var c = lane; c < problem.classes; c += LANES) { count += f32(scoreBits(start + c) == LOWEST_BITS); }
  return count;
}
