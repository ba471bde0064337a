import { wantedDevice } from '../shared/device.js';
import { byId, listenToDrops, notify, once, whileBusy } from '../shared/dom.js';
import { menu } from '../shared/menus.js';
import { Controls } from './controls.js';
import { Engine } from './engine/engine.js';
import type { Files } from './files/files.js';
import { Page } from './page.js';
import { Panels } from './panels/panels.js';
import { Spoken } from './sound/spoken.js';
import { Editing } from './state/editing.js';
import { fromHash, Store } from './state/state.js';

const linked = fromHash(location.hash);
const store = new Store();
if (linked) store.set(linked);

try {
  const editing = new Editing(store);
  const page = new Page(store, await Engine.create(wantedDevice() === 'cpu'), {
    // the row of a star is no score of the recogniser's
    paint: ({ c }, first, end, done) =>
      c !== undefined && c < page.source!.classes && editing.paint(c, first, end, done),
    edited: () => editing.begin(),
  });
  new Controls(page, editing);
  const spoken = new Spoken(page);
  let files: Promise<Files> | undefined;
  const filesOf = () => {
    files ??= import('./files/files.js').then(({ Files }) => new Files(page, spoken, () => data.refresh()));
    return files;
  };
  const data = menu(byId('data'), async () => (await filesOf()).entries());
  listenToDrops(async (dropped) => (await filesOf()).load(dropped));
  // what was loaded here is nowhere else: the browser asks
  window.addEventListener('beforeunload', (event) => {
    if (page.source?.own || spoken.isMoved) event.preventDefault();
  });
  new Panels(page, [
    { id: 'state', name: 'Cell', open: () => ({ refresh() {} }) },
    {
      ...{ id: 'paths', name: 'Paths' },
      open: async (root) => new (await import('./panels/paths-panel.js')).PathsPanel(root, page),
    },
    {
      ...{ id: 'loss', name: 'Loss' },
      open: async (root) => new (await import('./panels/loss-panel.js')).LossPanel(root, page),
    },
    {
      ...{ id: 'labels', name: 'Labels' },
      open: async (root) => new (await import('./panels/labels-panel.js')).LabelsPanel(root, page),
    },
    {
      ...{ id: 'edit', name: 'Edit' },
      open: async (root) => new (await import('./panels/edit-panel.js')).EditPanel(root, page, editing),
    },
    {
      ...{ id: 'compare', name: 'Compare' },
      open: async (root) => new (await import('./panels/compare-panel.js')).ComparePanel(root, page),
      isThere: () => store.state.with !== undefined || page.source?.other !== undefined,
    },
    { id: 'words', name: 'Words', open: (root) => spoken.openWords(root), isThere: () => spoken.hasWords },
  ]);
  const tellStory = once(() => import('./story/story.js').then(({ Story }) => new Story(page)));
  store.listen(({ story }) => story !== undefined && tellStory());
  await whileBusy((signal, say) => page.openExample(store.state.example, true, { signal, say }));
  // those who came with a link, or want no motion, see the end of it at once
  const plays = !linked && !matchMedia('(prefers-reduced-motion: reduce)').matches;
  page.listen(once(() => plays && page.player.play()));
  if (store.state.story !== undefined) tellStory();
  // from the page that reads pictures
  if ('line' in sessionStorage) (await filesOf()).loadHandedOver();
} catch (error) {
  notify(`The page could not start: ${(error as Error).message}`);
  throw error;
}
