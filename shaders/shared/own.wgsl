// Each sequence has a recording of its own. Its other form is shared.wgsl.

const HEARD = false;

fn recordingOf(n: u32) -> u32 { return n; }
fn heardFrame(n: u32, t: u32) -> Frame { return Frame(); }
