import { keepDrawn } from '../shared/canvas.js';
import { wantedDevice } from '../shared/device.js';
import { byId, notify } from '../shared/dom.js';
import { drawCurve } from './curves.js';
import { Film } from './film.js';
import { Pad } from './pad.js';
import { another } from './samples.js';
import { Settings } from './settings.js';
import { Teacher } from './teacher.js';

/** Steps that the button asks for, at first and each time after. */
const [lesson, more] = [300, 200];

let losses: number[] = [];
let errors: { steps: number; rate: number }[] = [];
/** Milliseconds of the last steps. */
let paces: number[] = [];
let on = '';
let open = false;
/** Why there is no network. */
let failure = '';
/** Steps that are in a file of the visitor's. */
let kept = 0;
/** Where it is to go on to, once somebody looks again. */
let resume: number | undefined;

const film = new Film(byId('film'));
const pad = new Pad(byId('pad').querySelector('canvas')!, padChanged);
const teacher = new Teacher(wantedDevice(), {
  opened(where, history, another) {
    on = where;
    open = true;
    failure = '';
    losses = [...history.losses];
    errors = [...history.errors];
    paces = [];
    if (another) {
      film.clear();
      kept = losses.length;
      settings.adopt();
    } else film.cut(losses.length);
    show();
    read();
  },
  stepped(steps, loss, milliseconds) {
    losses[steps - 1] = loss;
    paces = [...paces.slice(-24), milliseconds];
    show();
  },
  film(steps, reading) {
    film.add(steps, reading);
    if (teacher.until !== undefined) read();
  },
  measured(steps, rate) {
    errors = [...errors.filter((error) => error.steps < steps), { steps, rate }];
    show();
  },
  paused: show,
  saved(steps) {
    kept = steps;
  },
  lost(steps) {
    open = false;
    notify(`The GPU went away. Going on after step ${steps}, on another one …`);
  },
  failed(message) {
    notify(`The training stopped: ${message}`);
    show();
  },
  refused(message, before) {
    if (before) return notify(message);
    failure = message;
    show();
  },
});
const settings = new Settings(teacher, pad);

teacher.open();
byId('go').addEventListener('click', () => {
  const steps = losses.length;
  if (teacher.until !== undefined) teacher.pause();
  else teacher.train(steps < lesson ? lesson : more * (1 + Math.floor(steps / more)));
  show();
});
let written = 0;
byId('write').addEventListener('click', () => pad.write(another(written++).strokes));
byId('undo').addEventListener('click', () => pad.undo());
byId('clear').addEventListener('click', () => pad.clear());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    resume = teacher.until;
    teacher.pause();
  } else if (resume !== undefined) teacher.train(resume);
  show();
});
// what was learned is nowhere else: the browser asks
window.addEventListener('beforeunload', (event) => {
  if (losses.length > kept) event.preventDefault();
});
keepDrawn(byId('curves'), show);

let asked = 0;
/** Once a frame, whatever was heard. */
function show() {
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(showNow);
}

function showNow() {
  const steps = losses.length;
  const go = byId<HTMLButtonElement>('go');
  go.disabled = !open;
  const training = teacher.until !== undefined;
  go.textContent = training
    ? 'Pause'
    : steps === 0
      ? 'Teach it to read'
      : steps < lesson
        ? 'Go on teaching'
        : 'Teach it more';
  byId('steps').textContent = steps.toLocaleString('en');
  const last = errors[errors.length - 1];
  byId('errors').textContent = last ? percent(last.rate) : '–';
  byId('trained').textContent = failure
    ? `There is no network: ${failure}. A reload tries again.`
    : !open
      ? 'Loading the network …'
      : steps === 0
        ? training
          ? 'untrained: the first step takes a moment …'
          : 'untrained: guessing'
        : `after ${steps.toLocaleString('en')} steps${training ? ', learning' : ''}`;
  const pace = paces.length > 0 ? `, ${Math.round(median(paces))} ms a step` : '';
  byId('backend').textContent = on + pace;
  const smooth = losses.map((_, i) => {
    const part = losses.slice(Math.max(0, i - 19), i + 1);
    return { steps: i + 1, value: part.reduce((a, b) => a + b) / part.length };
  });
  const raw = losses.map((value, i) => ({ steps: i + 1, value }));
  const canvas = (name: string) => byId('curves').querySelector<HTMLCanvasElement>(`canvas.${name}`)!;
  drawCurve(canvas('loss'), smooth, raw, { least: 4, say: (value) => value.toFixed(1) });
  // an untrained network may read more digits than there are
  const rates = errors.map(({ steps: at, rate }) => ({ steps: at, value: Math.min(1, rate) }));
  drawCurve(canvas('errors'), rates, [], { least: 1, say: (value) => `${Math.round(100 * value)} %` });
}

/** The first step compiles: no mean would forget it. */
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const percent = (share: number) => (share >= 1 ? '100 %' : `${(100 * share).toFixed(1)} %`);

function padChanged() {
  byId('pad').classList.toggle('used', pad.strokes.length > 0);
  for (const id of ['undo', 'clear']) byId<HTMLButtonElement>(id).disabled = pad.strokes.length === 0;
  settings.refresh();
  read();
}

let reading = false;
let stale = false;
/** What is on the pad, read again as soon as the last reading is back. */
async function read() {
  stale = true;
  byId('reads').ariaBusy = 'true';
  if (reading) return;
  reading = true;
  while (stale) {
    stale = false;
    const { text } = await teacher.read(pad.strokes);
    byId('reads').textContent = text;
  }
  reading = false;
  byId('reads').ariaBusy = 'false';
}
