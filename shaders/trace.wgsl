// One invocation for each sequence: back along the ways from where its path ends, a piece of a slice at a time.
//
//   state   2S  2S  2S−1  …        s at step k was s − (0, 1 or 2) at step k − 1

@group(0) @binding(5) var<storage, read_write> labels: array<u32>;
@group(0) @binding(7) var<storage, read> ways: array<u32>;
@group(0) @binding(8) var<storage, read_write> ends: array<u32>;

@group(0) @binding(9) var<storage, read_write> masks: array<u32>;

const POWERS_OF_6 = vec4u(216u, 36u, 6u, 1u);

@compute @workgroup_size(WORKGROUP)
fn trace(@builtin(global_invocation_id) id: vec3u) {
  let part = id.x;
  if (part >= problem.count) { return; }
  let n = problem.firstSequence + part;
  let sequence = sequenceAt(n);
  var s = ends[part];
  let first = problem.boxFrame + integer * problem.segment;
  // the last that is done for a sequence: what is noted of the next one starts from nothing
  if (first == 0u) { masks[part] = 0u; }
  if (s >= NO_END) { return; }
  for (var end = min(min(first + problem.segment, problem.boxEnd), sequence.inputLength); end > first; end--) {
    let k = end - 1u;
    labels[n * problem.frames + k] = s;
    let pair = s / 2u;
    let phase = (k - problem.emissionFrame) % 3u;
    let weight = select(select(1u, 1296u, phase == 1u), 1679616u, phase == 2u);
    let way = ways[wayPlace(part, k, pair)] / weight % 1296u / POWERS_OF_6[pair % 4u] % 6u;
    if (k > 0u) { s -= select(way % 2u, way / 2u, s % 2u == 1u); }
  }
  ends[part] = s;
}
