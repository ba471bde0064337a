import { strategyNames } from '../plan/strategies.js';
import { checkChoice, checkDevice, checkInteger, checkObject } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import type { GpuDevice, Gradient, Reduction } from '../problem/types.js';
import type { Strategy } from './contracts.js';

export interface Settings {
  readonly device: GpuDevice | 'auto' | 'gpu' | 'cpu';
  readonly blank: number;
  readonly reduction: Reduction;
  readonly zeroInfinity: boolean;
  readonly gradient: Gradient;
  readonly strategy: Strategy;
  readonly delimiter?: number | undefined;
  readonly prefixes: boolean;
  readonly preload: boolean;
}

/** The options of `create`: `device`, `blank`, `preload` and those of `keys`. What no key asks for is as in an operation without a loss. */
export function checkSettings(options: object, keys: readonly (keyof Settings)[]): Settings {
  checkObject('options', options, ['device', 'blank', ...keys, 'preload']);
  const isLoss = keys.includes('reduction');
  const settings: Settings = {
    ...{ device: 'auto', blank: 0, zeroInfinity: false, strategy: 'auto', preload: false, prefixes: false },
    ...(isLoss ? { reduction: 'mean', gradient: 'logits' } : { reduction: 'none', gradient: 'none' }),
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
  const { device, blank, reduction, zeroInfinity, gradient, strategy, preload, prefixes } = settings;
  checkDevice(device);
  for (const [name, value] of Object.entries({ zeroInfinity, preload, prefixes }))
    if (typeof value !== 'boolean') throw wrongKind(name, 'a boolean', value);
  if (blank === -1) throw wrongValue('blank', 'an integer ≥ 0 (C − 1 for the last class)', blank);
  checkInteger('blank', blank, 0);
  checkChoice('reduction', reduction, ['none', 'sum', 'mean']);
  checkChoice('gradient', gradient, ['logits', 'logProbs', 'none']);
  checkChoice('strategy', strategy, ['auto', ...strategyNames]);
  return settings;
}
