import { wantedDevice } from '../shared/device.js';
import { notify } from '../shared/dom.js';
import { Controls } from './controls.js';
import { Data } from './data.js';
import { Engine } from './engine/engine.js';
import { Page } from './page.js';
import { Panels } from './panels/panels.js';
import { Editing } from './state/editing.js';
import { fromHash, Store } from './state/state.js';

const linked = fromHash(location.hash);
const store = new Store();
if (linked) store.set(linked);

try {
  const editing = new Editing(store);
  const page = new Page(store, await Engine.create(wantedDevice() === 'cpu'), {
    paint: ({ c }, first, end, done) => c !== undefined && editing.paint(c, first, end, done),
  });
  new Controls(page, editing);
  const data = new Data(page);
  new Panels(page, [
    { id: 'state', name: 'State', open: () => ({ refresh() {} }) },
    {
      ...{ id: 'paths', name: 'Paths' },
      open: async (root) => new (await import('./panels/paths-panel.js')).PathsPanel(root, page),
    },
    {
      ...{ id: 'edit', name: 'Edit' },
      open: async (root) => new (await import('./panels/edit-panel.js')).EditPanel(root, page, editing),
    },
    { id: 'words', name: 'Words', open: (root) => data.openWords(root), isThere: () => data.hasSound },
  ]);
  await page.openExample(store.state.example, true);
  // those who came with a link, or want no motion, see the end of it at once
  const plays = !linked && !matchMedia('(prefers-reduced-motion: reduce)').matches;
  page.listen(once(() => plays && page.player.play()));
} catch (error) {
  notify(`The page could not start: ${(error as Error).message}`);
  throw error;
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}
