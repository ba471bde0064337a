// What the visitor expects of the line: its characters, its words.
import { byId } from '../shared/dom.js';
import type { Expected } from '../shared/pictures/expected.js';

/** Milliseconds after the last letter. */
const pause = 300;

/** Calls back when something else is expected. @returns What is, at any time; undefined: anything. */
export function listenToExpected(changed: () => void): () => Expected | undefined {
  const [signs, these, list] = [
    byId<HTMLSelectElement>('signs'),
    byId<HTMLInputElement>('these'),
    byId<HTMLTextAreaElement>('list'),
  ];
  const others = byId<HTMLInputElement>('others');
  const root = byId('expect');
  const told = root.querySelector('small')!;
  const nothing = told.textContent;
  let before = '';
  let waiting = 0;
  const ask = () => {
    const expected = expectedNow();
    told.textContent = expected ? say(expected) : nothing;
    told.classList.toggle('said', expected !== undefined);
    const now = JSON.stringify(expected) ?? '';
    if (now !== before) changed();
    before = now;
  };
  const expectedNow = (): Expected | undefined => {
    const chosen = signs.value as 'digits' | 'letters' | 'these' | '';
    const words = list.value.split(/[\s,;]+/u).filter(Boolean);
    const own = these.value.trim() === '' ? undefined : { these: these.value };
    const expected = { signs: chosen === 'these' ? own : chosen || undefined, words, others: others.checked };
    return expected.signs || words.length > 0 ? expected : undefined;
  };
  root.addEventListener('input', () => {
    these.hidden = signs.value !== 'these';
    clearTimeout(waiting);
    waiting = window.setTimeout(ask, pause);
  });
  return expectedNow;
}

function say({ signs, words, others }: Expected): string {
  const [first, second] = words;
  const named =
    words.length > 2
      ? `${words.length.toLocaleString('en')} words`
      : second
        ? `${first} or ${second}`
        : first;
  return [
    ...(signs
      ? [typeof signs === 'string' ? { digits: 'digits', letters: 'Latin letters' }[signs] : signs.these]
      : []),
    ...(named ? [others ? `rather ${named}` : named] : []),
  ].join(', ');
}
