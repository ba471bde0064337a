// Four costs at once, one for each of four neighbouring pairs.

struct Costs { low: vec4u, high: vec4u }

const NONE = Costs(vec4u(), vec4u(UNREACHABLE));

fn areLess(a: Costs, b: Costs) -> vec4<bool> {
  return (a.high < b.high) | ((a.high == b.high) & (a.low < b.low));
}

fn choose(which: vec4<bool>, a: Costs, b: Costs) -> Costs {
  return Costs(select(b.low, a.low, which), select(b.high, a.high, which));
}

/// Sums of whole numbers.
fn plus(a: Costs, b: Costs) -> Costs {
  let low = a.low + b.low;
  let high = a.high + b.high + select(vec4u(), vec4u(1u), low < b.low);
  let none = high >= vec4u(UNREACHABLE);
  return Costs(select(low, vec4u(), none), select(high, vec4u(UNREACHABLE), none));
}

/// Sums of any costs.
fn plusFar(a: Costs, b: Costs) -> Costs {
  var sum = plus(a, b);
  for (var j = 0u; j < 4u; j++) {
    if (max(a.high[j], b.high[j]) < UNREACHABLE && max(max(a.high[j], b.high[j]), sum.high[j]) >= FAR) {
      let far = sumOfFar(unpackedCost(Emission(a.low[j], a.high[j])), unpackedCost(Emission(b.low[j], b.high[j])));
      sum.low[j] = far.x;
      sum.high[j] = far.y;
    }
  }
  return sum;
}
