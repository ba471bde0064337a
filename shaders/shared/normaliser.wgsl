// One pass over a row of logits: the largest, and what the others sum to beside it. A lane takes sixteen
// scores at a time, and counts in units of exp(largest so far):
//
//   scores     … 1.5  0.2  -3.0  2.0 │ 2.5  0.0  …
//   largest              2.0         │ 2.5            equal to it       1
//   rest       e^(1.5-2.0) + …       │ times e^(2.0-2.5), with those that were the largest before
//
// The largest itself is counted and not summed: ln(1 + rest) keeps every digit of a confident frame.

const LOWEST_BITS = 0xff7fffffu; // of the lowest finite float32

struct Seen { largest: f32, equal: f32, rest: f32, key: u32 }

fn take(to: ptr<function, Seen>, a: vec4u, b: vec4u, c: vec4u, d: vec4u) {
  // NaN of either sign and +Infinity lie above all finite floats, as integers with or without a sign
  let above = max(max(bitcast<vec4i>(a), bitcast<vec4i>(b)), max(bitcast<vec4i>(c), bitcast<vec4i>(d)));
  let below = max(max(a, b), max(c, d));
  if (any(above > vec4i(0x7f7fffff)) || any(below > vec4u(MINUS_INFINITY))) { to.key = 0xffffffffu; }
  let w = finite(a);
  let x = finite(b);
  let y = finite(c);
  let z = finite(d);
  let most = max(max(w, x), max(y, z));
  let largest = max(max(max(most.x, most.y), max(most.z, most.w)), to.largest);
  let half = 0.5 * largest;
  if (largest > to.largest) {
    to.rest = (to.rest + to.equal) * expOfTwice(vec4f(max(0.5 * to.largest - half, -44.0))).x;
    to.equal = 0.0;
    to.largest = largest;
  }
  let rest = (others(w, largest) + others(x, largest)) + (others(y, largest) + others(z, largest));
  let equal = (vec4u(w == vec4f(largest)) + vec4u(x == vec4f(largest))) + (vec4u(y == vec4f(largest)) + vec4u(z == vec4f(largest)));
  to.rest += (rest.x + rest.y) + (rest.z + rest.w);
  to.equal += f32((equal.x + equal.y) + (equal.z + equal.w));
}

fn others(x: vec4f, largest: f32) -> vec4f {
  return select(expOfTwice(max(0.5 * x - 0.5 * largest, vec4f(-44.0))), vec4f(), x == vec4f(largest));
}

/// What a lane sees of the row that starts at element `start`. The ends that fill no vector go first.
fn laneOfRow(lane: u32, start: u32) -> Seen {
  let none = vec4u(MINUS_INFINITY);
  var seen = Seen(bitcast<f32>(LOWEST_BITS), 0.0, 0.0, 0u);
  let row = vectorsOf(start);
  for (var j = lane; j < row.odd; j += LANES) {
    take(&seen, vec4u(scoreBits(oddAt(row, start, j)), none.yzw), none, none, none);
  }
  for (var v = row.first + lane; v < row.end; v += 4u * LANES) {
    let b = v + LANES;
    let c = b + LANES;
    let d = c + LANES;
    take(&seen, fourScores(v), select(none, fourScores(b), b < row.end), select(none, fourScores(c), c < row.end), select(none, fourScores(d), d < row.end));
  }
  seen.key = max(seen.key, orderKey(bitcast<u32>(seen.largest)));
  return seen;
}

/// How many scores are the lowest finite number: `take` does not tell them from −Infinity.
fn countLowest(lane: u32, start: u32) -> f32 {
  var count = 0.0;
  for (var c = lane; c < problem.classes; c += LANES) { count += f32(scoreBits(start + c) == LOWEST_BITS); }
  return sumOf(lane, vec2f(count, 0.0)).x;
}
