/** The texts of all kernels and of what they share, by file name without its ending. A chunk of their own: only a GPU needs them. */
import { byName } from './by-name.js';

export const texts = byName<string>({
  ...import.meta.glob(['../../shaders/*.wgsl', '!../../shaders/{prune,beam,unwind}.wgsl'], {
    query: '?raw',
    import: 'default',
    eager: true,
  }),
  ...import.meta.glob(
    [
      '../../shaders/shared/*.wgsl',
      '!../../shaders/shared/{knowledge,written,spelled,entries,selection}.wgsl',
    ],
    { query: '?raw', import: 'default', eager: true },
  ),
});
