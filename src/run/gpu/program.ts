import count from '../../../shaders/helpers/count.wgsl?raw';
import type { Texts } from '../../kernels/kernels.js';
import type { Plan } from '../../plan/plan.js';
import { lazily } from '../../problem/load.js';
import { Memory } from './memory.js';
import type { Numbers } from './numbers.js';
import { helperFor, type Pipeline, pipelineFor, pipelineNow } from './pipelines.js';
import { Scheduler } from './scheduler.js';
import { Slots } from './slots.js';

const numbersPart = lazily('gpu', () => import('./numbers.js'));

/** Before anything runs: that each dispatch binds all that its kernel declares. */
function checkBindings(plan: Plan, pipelines: readonly (Pipeline | false)[]): void {
  plan.commands.forEach((command, i) => {
    const pipeline = pipelines[i];
    if (command.type === 'copy' || !pipeline) return;
    const lacking = pipeline.bindings.find(({ name, type }) => type !== 'uniform' && !command.bindings[name]);
    if (lacking) {
      const bound = Object.keys(command.bindings).join(', ');
      throw new Error(`${command.kernel}: expected a binding of ${lacking.name}, got only ${bound}`);
    }
  });
}

export interface Program {
  readonly memory: Memory;
  readonly scheduler: Scheduler;
  /** None where all that is encoded is submitted at once. */
  readonly slots?: Slots;
  /** Only where a plan has inputs that are numbers. */
  readonly numbers?: Numbers;
}

/** A plan's pipelines compiled, its memory allocated. */
export async function programOf(device: GPUDevice, plan: Plan): Promise<Program> {
  const compiled = plan.commands.map(
    (c) => c.type === 'dispatch' && pipelineFor(device, c.kernel, c.constants),
  );
  const [counter, ...pipelines] = await Promise.all([helperFor(device, 'count', count), ...compiled]);
  checkBindings(plan, pipelines);
  const memory = await Memory.create(device, plan);
  const slots = await Slots.create(device, memory, counter);
  const scheduler = new Scheduler(device, plan, memory, pipelines);
  const copied = Object.values(plan.inputs).flatMap(({ access, buffer }) =>
    access === 'copy' ? [buffer!] : [],
  );
  if (copied.length === 0) return { memory, scheduler, slots };
  const { Numbers } = await numbersPart();
  return { memory, scheduler, slots, numbers: await Numbers.create(device, memory, copied) };
}

/** The same at once. What the device has to say against it goes to its open error scopes. */
export function programNow(device: GPUDevice, plan: Plan, texts: Texts): Program {
  const pipelines = plan.commands.map(
    (c) => c.type === 'dispatch' && pipelineNow(device, c.kernel, c.constants, texts),
  );
  checkBindings(plan, pipelines);
  const memory = Memory.createNow(device, plan);
  return { memory, scheduler: new Scheduler(device, plan, memory, pipelines) };
}
