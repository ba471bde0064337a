import type { Plan } from '../plan.js';
import { Memory } from './memory.js';
import { pipelineFor } from './pipelines.js';
import { Scheduler } from './scheduler.js';

/** A plan's pipelines compiled, its memory allocated. */
export async function programOf(
  device: GPUDevice,
  plan: Plan,
): Promise<{ memory: Memory; scheduler: Scheduler }> {
  const compiled = plan.commands.map(
    (c) => c.type === 'dispatch' && pipelineFor(device, c.kernel, c.constants),
  );
  const pipelines = await Promise.all(compiled);
  const memory = await Memory.create(device, plan);
  return { memory, scheduler: new Scheduler(device, plan, memory, pipelines) };
}
