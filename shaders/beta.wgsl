// A frame of the backward variable, for all sequences and states, and the posterior it completes.
// Graves et al. 2006, equations 9 to 11, with the emission at t left out, so that alpha·beta sums to Z.
//
//   t      blank_i  label_i           beta(t, blank_i) = blank_i + label_i
//             │ ╲  │  ╲               beta(t, label_i) = label_i + blank_i+1 + label_i+1 if it may be skipped to
//   t+1    blank_i  label_i  blank_i+1 …                 each times its emission at t+1
//
// The posterior alpha · beta / Z takes the place of alpha as it passes. Its mantissas are left as they
// come (alpha.m · beta.m · 2^shift): the gradient divides by the frame's own sum, which cancels drift.

@group(0) @binding(4) var<storage, read> emissions: array<Extended>;
@group(0) @binding(5) var<storage, read_write> lattice: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> betas: array<vec4u>;
@group(0) @binding(7) var<storage, read> totals: array<Total>;

fn posterior(alpha: Extended, beta: Extended, z: Extended) -> f32 {
  return alpha.m * beta.m * powerOfTwo(clamp(alpha.e + beta.e - z.e, -127, 127));
}

fn backward(sequence: Sequence, part: u32, i: u32, t: u32) {
  let labels = sequence.targetLength;
  if (t >= sequence.inputLength || !inBand(sequence, i, t)) { return; }

  var now = Pair(NOTHING, NOTHING);
  if (t + 1u == sequence.inputLength) {
    if (i == labels) { now.blank = ONE; } else { now.label = ONE; }
  } else {
    let after = betaRow(part, t + 1u);
    let emission = emissionRow(part, t + 1u);
    let blankEmission = emissions[emission];
    var own = Pair(NOTHING, NOTHING);
    if (inBand(sequence, i, t + 1u)) {
      own = unpack(betas[after + i]);
      own.blank = product(own.blank, blankEmission);
      if (i < labels) { own.label = product(own.label, emissions[emission + slotAt(sequence, i)]); }
    }
    now.blank = sum3(own.blank, own.label, NOTHING);
    if (i < labels) {
      var right = Pair(NOTHING, NOTHING);
      if (inBand(sequence, i + 1u, t + 1u)) {
        right = unpack(betas[after + i + 1u]);
        right.blank = product(right.blank, blankEmission);
        if (i + 1u < labels && maySkip(sequence, i + 1u)) {
          right.label = product(right.label, emissions[emission + slotAt(sequence, i + 1u)]);
        } else {
          right.label = NOTHING;
        }
      }
      now.label = sum3(own.label, right.blank, right.label);
    }
  }
  betas[betaRow(part, t) + i] = pack(now);

  let place = alphaRow(part, t) + i;
  let alpha = unpack(lattice[place]);
  let z = totals[problem.firstSequence + part].z;
  // only mantissas: a posterior needs no exponent
  lattice[place].x = bitcast<u32>(posterior(alpha.blank, now.blank, z));
  lattice[place].z = bitcast<u32>(posterior(alpha.label, now.label, z));
}

@compute @workgroup_size(WORKGROUP)
fn beta(@builtin(global_invocation_id) id: vec3u) {
  let sequence = sequenceAt(problem.firstSequence + id.y);
  let first = problem.boxFrame + problem.segment * integer;
  for (var t = min(first + problem.segment, problem.boxEnd); t > first; t--) {
    backward(sequence, id.y, id.x, t - 1u);
    if (SEVERAL) { storageBarrier(); }
  }
}
