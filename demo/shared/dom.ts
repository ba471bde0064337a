export const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;

/** An element with its properties and what is in it. Text stays text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  if (element instanceof HTMLButtonElement) element.type = 'button';
  element.append(...children);
  return element;
}

const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹⁻';

/** Powers as markup: many fonts lack the raised minus. */
export function withPowers(text: string): (Node | string)[] {
  return text.split(/([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/).map((part, i) => {
    if (i % 2 === 0) return part;
    return make('sup', {}, [...part].map((sign) => '0123456789−'[raised.indexOf(sign)]).join(''));
  });
}

/** The first call runs it, the others do nothing. */
export function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}

let hiding = 0;

/** A line that goes by itself, the sooner the shorter it is. */
export function notify(message: string): void {
  const notice = byId('notice');
  notice.textContent = message;
  notice.hidden = false;
  clearTimeout(hiding);
  hiding = window.setTimeout(
    () => {
      notice.hidden = true;
    },
    4000 + 60 * message.length,
  );
}

/**
 * Shows what is going on for as long as it takes, with a way to end it. `say`: in words, and how much of it is done, from 0 to 1,
 * where that is known. What is over at once is not shown. What fails is told; the outcome is undefined then.
 */
export async function whileBusy<R>(
  run: (signal: AbortSignal, say: (what: string, share?: number) => void) => Promise<R>,
): Promise<R | undefined> {
  const controller = new AbortController();
  const { signal } = controller;
  const [what, cancel] = [make('span'), make('button', { onclick: () => controller.abort() }, 'Cancel')];
  const bar = make('progress', { max: 1, ariaLabel: 'How much is done' });
  const line = make('p', {}, what, bar, cancel);
  const say = (words: string, share?: number) => {
    what.textContent = words;
    bar.hidden = share === undefined;
    bar.value = share ?? 0;
    showing ??= window.setTimeout(() => signal.aborted || byId('busy').append(line), 250);
  };
  let showing: number | undefined;
  try {
    return await run(signal, say);
  } catch (error) {
    if (!signal.aborted) notify((error as Error).message);
    return undefined;
  } finally {
    clearTimeout(showing);
    line.remove();
  }
}

/** To the visitor's downloads. */
export function save(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Files that are dropped anywhere on the page, or pasted. While they are dragged over it, the body has the class `dropping`. */
export function listenToDrops(use: (files: readonly File[]) => void): void {
  const { classList } = document.body;
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) classList.remove('dropping');
  });
  const take = (event: Event, files: FileList | undefined) => {
    if (!files || files.length === 0) return;
    event.preventDefault();
    use([...files]);
  };
  document.addEventListener('drop', (event) => {
    classList.remove('dropping');
    take(event, event.dataTransfer?.files);
  });
  document.addEventListener('paste', (event) => take(event, event.clipboardData?.files));
}

/** Asks for files of the visitor's. */
export function chooseFiles(use: (files: readonly File[]) => void, accept = '', multiple = false): void {
  const input = make('input', { type: 'file', accept, multiple });
  input.addEventListener('change', () => use([...(input.files ?? [])]));
  input.click();
}
