import { lazily } from '../problem/load.js';
import type { Limits, Plan, ProblemShape } from './plan.js';
import type { Tuning } from './tuning.js';

const sweeps = lazily('both', () => import('./sweeps-plan.js'));
const steps = lazily('both', () => import('./step-plan.js'));

/** A way to compute a loss. */
interface LossPlan {
  /** Whether it can leave the lattice behind. */
  readonly keeps: boolean;
  /** Its plan: a chunk of its own. */
  plan(task: ProblemShape, limits: Limits, tuning: Tuning): Promise<Plan>;
}

/** All strategies of a loss. */
export const strategies = {
  step: {
    keeps: true,
    plan: async (...given) => (await steps()).planStep(...given),
  },
  fused: {
    keeps: false,
    plan: async (...given) => (await sweeps()).planSweeps(...given, 'fused'),
  },
  tiled: {
    keeps: false,
    plan: async (...given) => (await sweeps()).planSweeps(...given, 'tiled'),
  },
} as const satisfies Readonly<Record<string, LossPlan>>;

export type LossStrategy = keyof typeof strategies;

export const strategyNames = Object.keys(strategies) as LossStrategy[];

/**
 * The strategy for a task: what was asked for, or the fastest that does it.
 * @throws TypeError for a strategy that cannot do it.
 */
export function strategyFor(
  wanted: 'auto' | LossStrategy,
  task: Pick<ProblemShape, 'keep' | 'maxTargetLength' | 'sequences' | 'frames'>,
  tuning: Tuning,
): LossStrategy {
  if (wanted !== 'auto') {
    if (task.keep.length === 0 || strategies[wanted].keeps) return wanted;
    const others = strategyNames.filter((name) => strategies[name].keeps);
    throw new TypeError(
      `keep: expected nothing with strategy '${wanted}', which stores no lattice; use '${others.join("' or '")}'`,
    );
  }
  return task.keep.length > 0 ? 'step' : sweepsFor(task, tuning);
}

/** Of the strategies with sweeps the faster one. */
export function sweepsFor(
  { maxTargetLength, sequences, frames }: Pick<ProblemShape, 'maxTargetLength' | 'sequences' | 'frames'>,
  { lanes, software }: Tuning,
): 'fused' | 'tiled' {
  // a GPU has room for many workgroups: few sequences of several blocks would leave it idle, for long enough to make up
  // for the dispatches that tiled adds
  const blocks = Math.ceil((maxTargetLength + 1) / (4 * lanes));
  const idle = !software && blocks > 1 && sequences <= 16 * blocks;
  return idle && frames >= 512 ? 'tiled' : 'fused';
}
