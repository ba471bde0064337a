/** What the frame tells of an example. */
type Told = { kind: 'ready' } | { kind: 'line' | 'error'; text: string } | { kind: 'end'; shown: string };

const entries = ['index', 'text', 'files', 'static'];

/** Examples that run in a page get a button that runs them, and one that opens their text for changes. */
export function addRunners(root: string): void {
  const figures = document.querySelectorAll<HTMLElement>('figure[data-live]');
  for (const [i, figure] of figures.entries())
    addRunner(figure, root, figures.length > 1 ? ` example ${i + 1}` : ' the example');
}

function addRunner(figure: HTMLElement, root: string, which: string): void {
  const pre = figure.querySelector('pre')!;
  const code = pre.querySelector('code')!;
  const original = code.textContent ?? '';
  const controls = document.createElement('div');
  controls.className = 'controls';
  const button = (text: string, onClick: () => void) => {
    const it = document.createElement('button');
    it.type = 'button';
    it.textContent = text;
    const hidden = document.createElement('span');
    hidden.className = 'unseen';
    hidden.textContent = which;
    it.append(hidden);
    it.addEventListener('click', onClick);
    controls.append(it);
    return it;
  };
  const text = document.createElement('textarea');
  text.value = original;
  text.spellcheck = false;
  text.autocapitalize = 'none';
  text.hidden = true;
  text.setAttribute('aria-label', `Code of${which}`);
  const output = document.createElement('div');
  output.className = 'printed';
  output.hidden = true;
  const word = figure.dataset.live === 'page' ? 'shows' : 'prints';
  output.innerHTML = `<p>Here it ${word}</p><div role="status"></div>`;
  const status = output.querySelector<HTMLElement>('[role=status]')!;

  let stop: (() => void) | undefined;
  const run = button('Run', () => {
    stop?.();
    output.hidden = false;
    status.replaceChildren();
    figure.dataset.state = 'running';
    const source = text.hidden ? original : text.value;
    stop = runExample(figure.dataset.live === 'page' ? source : moduleOf(source), root, output, (told) => {
      if (told.kind === 'ready') return;
      if (told.kind === 'end') {
        // what it shows is in the frame
        if (status.childElementCount === 0 && told.shown === '')
          addLine('It has run and printed nothing.', 'note');
        if (status.childElementCount === 0) addLine('It has run: what it shows is below.', 'note');
        figure.dataset.state = 'ended';
      } else addLine(told.text, told.kind);
      if (told.kind === 'error') figure.dataset.state = 'failed';
    });
  });
  run.classList.add('strong');
  const addLine = (line: string, kind: string) => {
    const it = document.createElement('pre');
    it.className = kind;
    if (kind === 'error') {
      const word = document.createElement('b');
      word.textContent = 'Error ';
      it.append(word);
    }
    it.append(line);
    status.append(it);
  };
  const edit = button('Edit', () => {
    text.hidden = false;
    text.rows = original.split('\n').length;
    pre.hidden = true;
    edit.hidden = true;
    restore.hidden = false;
    text.focus();
  });
  const restore = button('Restore', () => {
    text.value = original;
    text.hidden = true;
    pre.hidden = false;
    edit.hidden = false;
    restore.hidden = true;
    edit.focus();
  });
  restore.hidden = true;
  pre.after(text, controls);
  (figure.querySelector('.expected') ?? controls).after(output);
}

/** A program as a page that runs it, as the tests of the documents do. */
function moduleOf(code: string): string {
  const place = './node_modules/webgpu-ctc/dist';
  const imports: Record<string, string> = { 'webgpu-ctc/node': `${place}/index.js` };
  for (const entry of entries)
    imports[entry === 'index' ? 'webgpu-ctc' : `webgpu-ctc/${entry}`] = `${place}/${entry}.js`;
  return `<!doctype html><body></body>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">${code}</script>`;
}

/** Runs an example in a page of its own, and returns what takes that away. */
function runExample(html: string, root: string, place: HTMLElement, tell: (told: Told) => void): () => void {
  const frame = document.createElement('iframe');
  frame.title = 'What the example shows';
  frame.className = 'unseen';
  // told to nobody while there is nothing to see
  frame.setAttribute('aria-hidden', 'true');
  frame.tabIndex = -1;
  frame.src = `${root}live/frame.html`;
  const listen = ({ source, origin, data }: MessageEvent<Told>) => {
    if (source !== frame.contentWindow || origin !== location.origin) return;
    if (data.kind === 'ready')
      frame.contentWindow?.postMessage(
        { run: html.replace(/<\/script>(?![\s\S]*<\/script>)/, '\nexampleEnded();</script>') },
        origin,
      );
    if (data.kind === 'end' && data.shown !== '') {
      frame.className = '';
      const { scrollHeight = 0 } = frame.contentDocument?.documentElement ?? {};
      frame.style.height = `${Math.min(Math.max(scrollHeight, 40), 400) + 2}px`;
      frame.removeAttribute('aria-hidden');
      frame.removeAttribute('tabindex');
    }
    if (data.kind === 'end') void removeServiceWorker(frame.src);
    tell(data);
  };
  addEventListener('message', listen);
  place.append(frame);
  return () => {
    removeEventListener('message', listen);
    frame.remove();
  };
}

/** One that an example has registered: it would go on answering for the examples after it. */
async function removeServiceWorker(address: string): Promise<void> {
  const { serviceWorker } = navigator;
  const own = (await serviceWorker?.getRegistrations())?.filter(
    ({ scope }) => address.startsWith(scope) && scope.endsWith('/live/'),
  );
  await Promise.all(own?.map((one) => one.unregister()) ?? []);
  if (own?.length) await caches.delete('app');
}
