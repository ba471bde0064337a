/** What a beam search takes of the texts: who has none need not load them. */
import { byName } from './by-name.js';

export const texts = byName<string>({
  ...import.meta.glob('../../shaders/{prune,beam,unwind}.wgsl', {
    query: '?raw',
    import: 'default',
    eager: true,
  }),
  ...import.meta.glob(
    '../../shaders/shared/{problem,layout,values,extended,sequence,exponential,frame,scores,alone,butterfly,together,whole,probability,normaliser,reading,knowledge,written,spelled,entries,selection}.wgsl',
    { query: '?raw', import: 'default', eager: true },
  ),
});
