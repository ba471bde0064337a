// One pixel of the lattice: which cells are under it, the loudest of their values, its colour.

struct Look {
  toCells: mat3x3f,     // from device pixels
  line: vec4f, nan: vec4f, nanLine: vec4f,
  cell: vec2f,          // device pixels
  ratio: f32,           // device pixels to a CSS pixel
  frames: u32, states: u32,
  logarithmic: u32, signed: u32,
  highlight: i32,       // a state, or −1
  sweep: i32,           // 1 forward, −1 backward over what the one forward left, −2 backward over nothing, 0 none
  sweepFrame: u32,
}

@group(0) @binding(0) var<uniform> look: Look;
@group(0) @binding(1) var<storage, read> field: array<f32>;
@group(0) @binding(2) var<storage, read> before: array<f32>;
/// From the card to the full colour, STEPS each: of labels, of blanks, above zero, below zero.
@group(0) @binding(3) var<storage, read> ramps: array<u32>;

const NOT_A_NUMBER = 1e30;
const IMPOSSIBLE = -1e30;

@vertex fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  return vec4f(f32(4u * (i & 1u)) - 1.0, f32(2u * (i & 2u)) - 1.0, 0.0, 1.0);
}

/// What a cell, or a bin of 2^level frames, has; during a sweep what is known of it so far.
fn valueAt(start: u32, level: u32, length: u32, bin: u32, s: u32) -> f32 {
  let at = start + s * length + bin;
  if (look.sweep == 0) { return field[at]; }
  let t = bin << level;
  if (look.sweep < 0 && t >= look.sweepFrame) { return field[at]; }
  let isReached = select(look.sweep == -1, t <= look.sweepFrame, look.sweep > 0);
  return select(select(0.0, IMPOSSIBLE, before[at] == IMPOSSIBLE), before[at], isReached);
}

struct Found { value: f32, s: u32, gap: bool }

/// The loudest value under a pixel. Where cells are narrower than pixels, from the level whose bins are about as wide.
fn find(pixel: vec2f) -> Found {
  let corner = (look.toCells * vec3f(pixel - 0.5, 1.0)).xy;
  let opposite = (look.toCells * vec3f(pixel + 0.5, 1.0)).xy;
  let middle = 0.5 * (corner + opposite);
  let size = opposite - corner;
  let last = vec2f(f32(look.frames), f32(look.states)) - 1.0;
  if (any(middle < vec2f()) || any(middle > last + 1.0)) { return Found(0.0, 0u, true); }
  var low = middle;
  var high = middle;
  if (size.x > 1.0) { low.x = corner.x; high.x = opposite.x - 1e-4; }
  if (size.y > 1.0) { low.y = corner.y; high.y = opposite.y - 1e-4; }
  let first = vec2u(clamp(floor(low), vec2f(), last));
  let end = vec2u(clamp(floor(high), vec2f(), last));
  let level = u32(max(0.0, floor(log2(max(1.0, size.x)))));
  var start = 0u;
  var length = look.frames;
  for (var k = 0u; k < level; k++) { start += length * look.states; length = (length + 1u) / 2u; }
  var found = Found(IMPOSSIBLE, first.y, false);
  for (var s = first.y; s <= end.y; s++) {
    for (var bin = first.x >> level; bin <= end.x >> level; bin++) {
      let value = valueAt(start, level, length, bin, s);
      if (value != IMPOSSIBLE && (found.value == IMPOSSIBLE || abs(value) > abs(found.value))) {
        found.value = value;
        found.s = s;
      }
    }
  }
  return found;
}

/// How much of a pixel is inside its cell: cells that are large enough have rounded corners and a gap between them.
fn coverage(pixel: vec2f) -> f32 {
  let at = (look.toCells * vec3f(pixel, 1.0)).xy;
  let px = look.ratio;
  if (any(look.cell < vec2f(6.0 * px))) { return 1.0; }
  let half = 0.5 * look.cell - 0.5 * px;
  let radius = min(5.0 * px, 0.25 * min(look.cell.x, look.cell.y));
  let away = abs((fract(at) - 0.5) * look.cell) - (half - radius);
  let edge = length(max(away, vec2f())) + min(max(away.x, away.y), 0.0) - radius;
  return clamp(0.5 - edge, 0.0, 1.0);
}

fn colourAt(ramp: u32, x: f32) -> vec3f {
  return unpack4x8unorm(ramps[ramp * STEPS + u32(x * f32(STEPS - 1u) + 0.5)]).xyz;
}

fn isHatched(pixel: vec2f) -> bool {
  let spacing = SPACING * look.ratio;
  let along = (pixel.x + pixel.y) / spacing;
  return fract(along) * spacing < WIDTH * look.ratio;
}

@fragment fn shade(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let pixel = position.xy;
  let card = colourAt(0u, 0.0);
  let found = find(pixel);
  if (found.gap) { return vec4f(card, 1.0); }
  var colour = card;
  if (found.value == IMPOSSIBLE) {
    if (isHatched(pixel)) { colour = look.line.xyz; }
  } else if (found.value == NOT_A_NUMBER) {
    colour = select(look.nan.xyz, look.nanLine.xyz, isHatched(pixel));
  } else {
    var ramp = select(1u, 0u, found.s % 2u == 1u);
    var x = abs(found.value);
    if (look.signed != 0u) { ramp = select(3u, 2u, found.value > 0.0); }
    else if (look.logarithmic != 0u) { x = select(0.0, 1.0 + log2(max(x, 1e-37)) * (0.30103 / DECADES), x > 0.0); }
    x = clamp(x, 0.0, 1.0);
    if (look.highlight >= 0 && found.s != u32(look.highlight)) { x *= 0.25; }
    colour = colourAt(ramp, x);
  }
  return vec4f(mix(card, colour, coverage(pixel)), 1.0);
}
