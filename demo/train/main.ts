import { type Phase, phaseOf, phases } from '../../learning/phase.js';
import type { Handwriting } from '../../learning/writer.js';
import { dark, keepDrawn, oncePerFrame } from '../shared/canvas.js';
import { wantedDevice } from '../shared/device.js';
import { byId, make, notify, save, whileBusy } from '../shared/dom.js';
import { drawCurve } from './curves.js';
import { drawStill, Film } from './film.js';
import { sameInk } from './ink.js';
import { claim, forget, keep, recall } from './kept.js';
import { fromHash, longestLink, mostStrokes, toHash } from './link.js';
import { Only } from './only.js';
import { Pad } from './pad.js';
import { measureEvery } from './protocol.js';
import { canRecord, record } from './replay.js';
import { another, fixedSample } from './samples.js';
import { Settings } from './settings.js';
import { Teacher } from './teacher.js';
import { complaint, Tell } from './tell.js';

/** Steps that the button asks for, at first and each time after; and those that follow on what it is told later. */
const [lesson, more, extra] = [500, 250, 100];
/** Milliseconds from the last movement of the pen to a film of what it wrote. */
const pause = 500;

/** What a link asks for, and that link: '' for a visit without. */
const shared = fromHash(location.hash);
const link = shared ? location.hash : '';

const show = oncePerFrame(showNow);

let losses: number[] = [];
let errors: { steps: number; rate: number }[] = [];
/** Milliseconds of the last steps. */
let paces: number[] = [];
let phase: Phase = 'guessing';
let on = '';
let open = false;
/** Why there is no network. */
let failure = '';
/** Strings that the visitor has told it. */
let own: readonly Handwriting[] = [];
/** Steps that are kept, by this browser or in a file of the visitor's. */
let kept = 0;
/** What was kept is being opened. */
let recalling = false;
/** There was no network yet. */
let first = true;
/** What was learned is to be forgotten: the network that learned it is still there, and is not kept. */
let forgetting = false;
/** No other tab keeps what it learns. */
let keeps = true;
/** Where it is to go on to, once somebody looks again. */
let resume: number | undefined;

const film = new Film(byId('film'), shared?.strokes[0] ? shared.strokes : fixedSample.strokes, show);
const pad = new Pad(byId('pad').querySelector('canvas')!, padChanged);
const tell = new Tell(() => {
  pad.finish();
  return pad.strokes;
}, told);
const only = new Only(() => read());
const teacher = new Teacher(wantedDevice(), film.strokes, {
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
      // after a reload there is what came as a file
      if (!first && losses.length > 0) keepNow();
    } else film.cut(losses.length);
    first = false;
    forgetting = false;
    recalling = false;
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
  watched(watched) {
    phase = phaseOf(watched);
    show();
  },
  measured(steps, rate, weights) {
    errors = [...errors.filter((error) => error.steps < steps), { steps, rate }];
    keepAll(steps, weights);
    show();
  },
  paused() {
    keepNow();
    show();
  },
  lost(steps) {
    open = false;
    notify(`The GPU went away. Going on after step ${steps}, on another one …`);
    show();
  },
  failed(message) {
    notify(`The training stopped: ${message}`);
    show();
  },
  refused(message, before) {
    if (before) {
      forgetting = false;
      keepNow();
      return notify(message);
    }
    if (recalling) return startWithout();
    failure = message;
    show();
  },
});
const settings = new Settings(teacher, {
  keeps: () => keeps,
  own: () => own.length,
  forgetOwn() {
    own = [];
    teacher.own = own;
    keepNow();
    settings.refresh();
  },
  startAfresh(chosen) {
    forgetting = true;
    keepAll(0);
    teacher.open(chosen);
  },
  saved(steps) {
    kept = Math.max(kept, steps);
  },
});

const claimed = claim(link).then((mine) => {
  keeps = mine;
  settings.refresh();
  if (!mine)
    notify(
      'This page is open in another tab, too. That tab keeps what it learns; what this one learns is not kept.',
    );
  return mine;
});

if (new URLSearchParams(location.hash.slice(1)).has('ink') && !shared?.strokes[0])
  notify('The handwriting in this link cannot be read. The link may have been cut.');

begin();
async function begin() {
  const found = await recall(link);
  if (found === 'outdated') return startWithout();
  const { text, strokes = [] } = shared ?? {};
  // a link may say what no ink can be
  own = found?.own ?? (text && !complaint(text, strokes) ? [{ text, strokes }] : []);
  teacher.own = own;
  if (strokes[0]) pad.write(strokes);
  recalling = found?.weights !== undefined;
  if (found?.weights) teacher.open({}, { bytes: found.weights, name: 'what this browser keeps' });
  else teacher.open(shared?.settings);
}

/** What was kept cannot be read. */
function startWithout() {
  recalling = false;
  notify('What it had learned here was of another network than this page has now: it begins afresh.');
  forget(link);
  teacher.open(shared?.settings);
}

async function keepAll(steps: number, weights?: Uint8Array<ArrayBuffer>) {
  if (!(await claimed) || (forgetting && steps > 0)) return;
  // before the first step there is nothing to keep but what it was told
  if (steps > 0 && weights) {
    if (await keep(link, { own, weights })) kept = Math.max(kept, steps);
  } else if (own.length > 0) await keep(link, { own });
  else if (!first) await forget(link);
}

async function keepNow() {
  const { steps, bytes } = await teacher.save();
  await keepAll(steps, bytes);
}

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
byId('link').addEventListener('click', share);
byId('replay').addEventListener('click', saveReplay);
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    resume = teacher.until;
    teacher.pause();
  } else if (resume !== undefined) teacher.train(resume);
  show();
});
// another link, pasted over this one
window.addEventListener('hashchange', () => location.reload());
// where nothing is kept the browser asks; a moment of training is no question
window.addEventListener('beforeunload', (event) => {
  if (losses.length - kept > measureEvery) event.preventDefault();
});
keepDrawn(byId('curves'), show);

/** The visitor says what is on the pad: that is learned at once. */
function told(text: string) {
  const strokes = pad.strokes.map((stroke) => [...stroke]);
  // whoever corrects what was said of the same ink
  own = [...own.filter((one) => !sameInk(one.strokes, strokes)), { text, strokes }];
  teacher.own = own;
  const steps = losses.length;
  if (teacher.until === undefined) teacher.train(steps < lesson ? lesson : steps + extra);
  keepNow();
  notify(`It learns that this says ${text}: every fourth string that it learns from is now yours.`);
  settings.refresh();
  show();
}

async function share() {
  const { strokes } = film;
  if (strokes.length > mostStrokes) {
    notify(`A link has room for ${mostStrokes} strokes, and this string has ${strokes.length}.`);
    return;
  }
  const text = own.find((one) => sameInk(one.strokes, strokes))?.text;
  const url = new URL(`#${toHash({ settings: teacher.settings, strokes, text })}`, location.href).href;
  if (url.length > longestLink) {
    const [long, longest] = [url.length, longestLink].map((length) => length.toLocaleString('en'));
    notify(
      `This link would be ${long} characters long, and programs that send links cut them at ${longest}.`,
    );
    return;
  }
  try {
    await navigator.clipboard.writeText(url);
    notify('The link is on the clipboard: whoever opens it can watch the same string being learned.');
  } catch {
    // not into the address bar: a reload would then leave what is learned here
    prompt('Whoever opens this link can watch the same string being learned:', url);
  }
}

/** The film as a video: a picture after the other, and the last one for a while. */
async function saveReplay() {
  const button = byId<HTMLButtonElement>('replay');
  if (button.ariaDisabled === 'true') return;
  // not `disabled`, which would take the focus away
  button.ariaDisabled = 'true';
  const canvas = make('canvas', { width: 960, height: 600 });
  const theme = dark().matches ? 'dark' : 'light';
  const { pictures, strokes } = film;
  const each = Math.min(160, 5000 / pictures.length);
  const shots = pictures.map((picture, i) => ({
    draw: () => drawStill(canvas, picture, strokes, (i + 1) / pictures.length, theme),
    milliseconds: i === pictures.length - 1 ? 1500 : each,
  }));
  const video = await whileBusy((signal, say) => {
    say('Recording the replay, which takes as long as it lasts …');
    return record(canvas, shots, signal);
  });
  button.ariaDisabled = 'false';
  if (video) save('learning-to-read.webm', video, 'video/webm');
}

/** What is said of each phase, and why it is so. */
const words: Readonly<Record<Phase, readonly [name: string, why: string]>> = {
  guessing: ['Guessing', 'a network that knows nothing takes every piece of ink for some digit.'],
  silence: [
    'Silence',
    'beside the ten digits there is a blank, which means no digit. It fits nearly everywhere, so it is learned first.',
  ],
  spikes: [
    'First spikes',
    'it says a digit here and there, each for a moment only. Such a spike is all that CTC asks for.',
  ],
  reading: [
    'Reading',
    'a spike for each digit, and blanks between them. What is left to learn are the hard ones.',
  ],
};

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
          ? 'The first step takes a moment …'
          : 'It has learned nothing yet, and guesses.'
        : training
          ? `It is learning: step ${steps.toLocaleString('en')}.`
          : `It has learned for ${steps.toLocaleString('en')} step${steps === 1 ? '' : 's'}.`;
  showPhase();
  tell.hidden = !open || pad.strokes.length === 0;
  only.hidden = !open || pad.strokes.length === 0;
  const hasFilm = film.pictures.length > 1;
  byId('link').hidden = !hasFilm;
  byId('replay').hidden = !hasFilm || !canRecord();
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

/** A line that is said aloud when it changes, and only then. */
function showPhase() {
  const line = byId('phase');
  line.hidden = !open;
  if (line.dataset.phase === phase) return;
  line.dataset.phase = phase;
  const [name, why] = words[phase];
  const place = `, phase ${phases.indexOf(phase) + 1} of ${phases.length}`;
  line.replaceChildren(make('strong', {}, name), `${place}: ${why}`);
}

/** The first step compiles: no mean would forget it. */
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const percent = (share: number) => (share >= 1 ? '100 %' : `${(100 * share).toFixed(1)} %`);

let filming = 0;
function padChanged(isSame: boolean) {
  byId('pad').classList.toggle('used', pad.strokes.length > 0);
  for (const id of ['undo', 'clear']) byId<HTMLButtonElement>(id).disabled = pad.strokes.length === 0;
  if (!isSame) tell.begin();
  clearTimeout(filming);
  filming = window.setTimeout(filmPad, pause);
  show();
  read();
}

/** Whatever was written last is what the film shows being learned. */
function filmPad() {
  const strokes = pad.strokes.map((stroke) => [...stroke]);
  if (pad.busy) filming = window.setTimeout(filmPad, pause);
  else if (strokes.length > 0 && !sameInk(strokes, film.strokes)) {
    film.show(strokes);
    teacher.film = strokes;
  }
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
    const { strokes } = pad;
    const found = await teacher.read(strokes);
    const text = await only.read(found);
    byId('reads').textContent = text;
    tell.show(text || found.text);
  }
  reading = false;
  byId('reads').ariaBusy = 'false';
}
