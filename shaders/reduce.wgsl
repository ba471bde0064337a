// One workgroup: the losses of the batch as the caller wants them.
// Sum and mean: NaN if any loss is, else Infinity if any is, else the weighted sum by a fixed tree.

@group(0) @binding(4) var<storage, read> totals: array<Total>;
@group(0) @binding(5) var<storage, read_write> losses: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn reduceLosses(own: Lane) {
  let lane = own.index;
  var sum = 0.0;
  var worst = REGULAR;
  for (var n = lane; n < problem.sequences; n += WORKGROUP) {
    let total = totals[n];
    if (!REDUCE) {
      losses[n] = total.loss;
    } else if (total.status == REGULAR) {
      sum += bitcast<f32>(total.loss) * total.weight;
    } else if (problem.zeroInfinity == 0u || total.status == INVALID) {
      worst = max(worst, total.status);
    }
  }
  let all = sumOf(lane, vec2f(sum, 0.0)).x;
  let state = largestOf(lane, worst);
  if (REDUCE && lane == 0u) {
    losses[0] = select(select(INFINITY, NAN, state == INVALID), bitcast<u32>(all), state == REGULAR);
  }
}
