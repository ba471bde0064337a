import type MiniSearch from 'minisearch';
import type { Found } from '../build.js';

const shownAtMost = 12;

/** The search: a dialog, whose index is fetched when it is first opened. */
export function addSearch(root: string): void {
  const button = document.querySelector<HTMLButtonElement>('#site-search');
  if (!button) return;
  const dialog = document.createElement('dialog');
  dialog.id = 'site-search-dialog';
  dialog.setAttribute('aria-label', 'Search');
  dialog.innerHTML = `<form method="dialog"><label for="site-search-words">Search the documents and the reference</label>
<div><input id="site-search-words" type="search" autocomplete="off" autocapitalize="none" spellcheck="false"><button>Close</button></div></form>
<p role="status"></p><ol></ol>`;
  document.body.append(dialog);
  const input = dialog.querySelector('input')!;
  const status = dialog.querySelector('p')!;
  const list = dialog.querySelector('ol')!;
  let index: Promise<MiniSearch<Found>> | undefined;

  const show = async () => {
    const words = input.value.trim();
    index ??= load(root);
    const loaded = await index.catch((error: Error) => {
      index = undefined;
      status.textContent = `The index could not be loaded: ${error.message}`;
    });
    if (!loaded || words !== input.value.trim()) return;
    const all = words ? loaded.search(words) : [];
    const shown = all.slice(0, shownAtMost) as unknown as Found[];
    list.replaceChildren(...shown.map((one) => itemOf(one, words, root)));
    const count = all.length > shownAtMost ? `The best ${shownAtMost} of ${all.length}` : String(all.length);
    status.textContent = words === '' ? '' : `${count} ${all.length === 1 ? 'place' : 'places'}`;
  };
  const open = () => {
    dialog.showModal();
    input.select();
    void show();
  };
  input.addEventListener('input', () => void show());
  // Enter goes to the best place; the other ones are links
  dialog.querySelector('form')!.addEventListener('submit', (event) => {
    if (event.submitter?.matches(':focus') || document.activeElement !== input) return;
    event.preventDefault();
    list.querySelector('a')?.click();
  });
  list.addEventListener('click', ({ target }) => {
    if (target instanceof Element && target.closest('a')) dialog.close();
  });
  // up and down go through the places, beside the tabulator
  dialog.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const stops = [input, ...list.querySelectorAll('a')] as HTMLElement[];
    const next =
      stops[stops.indexOf(document.activeElement as HTMLElement) + (event.key === 'ArrowDown' ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  button.hidden = false;
  button.addEventListener('click', open);
  addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || dialog.open) return;
    event.preventDefault();
    open();
  });
}

async function load(root: string): Promise<MiniSearch<Found>> {
  const [{ default: Index }, response] = await Promise.all([
    import('minisearch'),
    fetch(`${root}search.json`),
  ]);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const index = new Index<Found>({
    ...{ fields: ['heading', 'page', 'text'], storeFields: ['page', 'heading', 'text', 'group'] },
    searchOptions: {
      ...{ prefix: true, fuzzy: 0.15, boost: { heading: 4, page: 2 } },
      combineWith: 'AND',
      boostDocument: (id, _term, stored) => weightOf(id, stored?.group),
    },
  });
  index.addAll(await response.json());
  return index;
}

/** Documents before the reference, there what can be imported before its members; what changed is seldom what is looked for. */
function weightOf(id: string, group: unknown): number {
  if (group === 'Documents') return 1.5;
  if (group === 'Project') return 0.3;
  return id.split('#').at(-1)?.includes('.') ? 0.5 : 1;
}

/** A place as a link, with some words around the first that was looked for. */
function itemOf({ id, page, heading, text }: Found, words: string, root: string): HTMLLIElement {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.href = root + id;
  const title = document.createElement('b');
  title.textContent = heading;
  const where = document.createElement('span');
  where.textContent = page === heading ? '' : page;
  const [word = ''] = words.toLowerCase().split(/\s+/);
  const at = Math.max(0, text.toLowerCase().indexOf(word) - 40);
  const around = document.createElement('span');
  around.className = 'around';
  around.textContent = `${at ? '… ' : ''}${text.slice(at, at + 140)}${text.length > at + 140 ? ' …' : ''}`;
  link.append(title, ' ', where, around);
  item.append(link);
  return item;
}
