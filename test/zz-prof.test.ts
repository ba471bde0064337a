import { test } from 'vitest';
import { tuningFor } from '../src/auto.js';
import { limitsOf } from '../src/device.js';
import { planSweeps } from '../src/sweeps.js';
test('prof', () => {
  const task = { frames: 1000000, sequences: 500, classes: 2, layout: 'TNC', maxTargetLength: 100, scores: 'logits', dtype: 'float32', gradient: 'logits', keep: [], reduction: 'mean', zeroInfinity: false, blank: 0 } as const;
  for (let i = 0; i < 3; i++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const p = planSweeps(task, limitsOf(undefined), tuningFor({ software: true, cpu: true }), 'fused');
    const used = process.cpuUsage(cpu);
    console.log(`PROF ${p.commands.length} commands ${p.problems.length} ${(performance.now() - start).toFixed(0)} ms wall, cpu ${(used.user / 1000).toFixed(0)}+${(used.system / 1000).toFixed(0)} ms, ${((1000 * (performance.now() - start)) / p.commands.length).toFixed(1)} us each, heap ${process.memoryUsage().heapUsed / 2 ** 20}`);
  }
}, 100000);
