import { wantedDevice } from '../shared/device.js';
import { notify } from '../shared/dom.js';
import { Controls } from './controls.js';
import { Data } from './data.js';
import { Engine } from './engine/engine.js';
import { Page } from './page.js';
import { fromHash, Store } from './state/state.js';

const linked = fromHash(location.hash);
const store = new Store();
if (linked) store.set(linked);

try {
  const page = new Page(store, await Engine.create(wantedDevice() === 'cpu'), {
    paint: ({ c }, first, end, done) => c !== undefined && controls.paint(c, first, end, done),
  });
  const controls = new Controls(page);
  new Data(page);
  await page.openExample(store.state.example, true);
  page.listen(once(() => linked || page.player.play()));
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
