// What a dispatch is told: the struct Problem, which src/kernels/uniforms.ts makes.

@group(0) @binding(0) var<uniform> problem: Problem;

/// WebGPU has no push constants. An integer that changes from dispatch to dispatch (the frame, the
/// offset of a window) is a dynamic offset into a table whose i-th block holds i.
@group(0) @binding(1) var<uniform> integer: u32;
