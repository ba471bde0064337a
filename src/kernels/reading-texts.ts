/** What greedy reading takes of `texts.ts`: a page that reads and does nothing else need not load the rest. */
import { byName } from './by-name.js';

export const texts = byName<string>({
  ...import.meta.glob('../../shaders/greedy.wgsl', { query: '?raw', import: 'default', eager: true }),
  ...import.meta.glob(
    '../../shaders/shared/{problem,layout,values,extended,sequence,exponential,frame,scores,alone,butterfly,together,whole,probability,normaliser,reading}.wgsl',
    { query: '?raw', import: 'default', eager: true },
  ),
});
