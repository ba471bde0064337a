import { byId, chooseFiles, listenToDrops, make, notify, whileBusy } from '../shared/dom.js';
import { megabytes } from '../shared/model.js';
import { boxesOf } from '../shared/pictures/boxes.js';
import { isPicture } from '../shared/pictures/file.js';
import { handOver } from '../shared/pictures/hand-over.js';
import { frameWidth } from '../shared/pictures/line-input.js';
import {
  cutOut,
  inPicture,
  type Line,
  lineOf,
  openPicture,
  type Picture,
  pictureOf,
} from '../shared/pictures/picture.js';
import type { Characters } from '../shared/pictures/reader.js';
import type { Read } from '../shared/pictures/reader-worker.js';
import { alignText, reader, readerMegabytes, readLine } from '../shared/pictures/reading.js';
import { CharacterList } from './characters.js';
import { listenToExpected } from './expect.js';
import { showGuesses } from './guesses.js';
import { sampleOf } from './sample.js';
import { Sheet } from './sheet.js';

/** Below this, the mean confidence says that it may be no line of text. */
const doubtful = 0.6;

let picture: Picture | undefined;
let line: Line | undefined;
/** What was read in the line, and what its characters are now: as read, or of a text that was typed. */
let read: Read | undefined;
let shown: Characters | undefined;
let picked: number | undefined;

const go = byId<HTMLButtonElement>('go');
const text = byId<HTMLInputElement>('text');
const words = byId<HTMLInputElement>('words');
const font = byId<HTMLSelectElement>('font');
const which = byId('which').querySelector('select')!;

const events = {
  hover: (index: number | undefined) => look(index ?? picked),
  pick(index: number) {
    picked = index;
    look(index);
  },
};
const sheet = new Sheet(byId('picture'), {
  hover: events.hover,
  pick: (index) => characters.focus(index),
  pickLine: (index) => attempt(() => choose(picture!, index)),
});
const characters = new CharacterList(byId('characters'), events);

byId('cost').textContent =
  `The reader comes when it is asked to read: ${readerMegabytes} MB, once. It is PP-OCRv4 of PaddleOCR, a network of ${megabytes(READER_BYTES.model)} MB that knows 6,624 signs, most of them Chinese, and ONNX Runtime, ${megabytes(READER_BYTES.runtime)} MB, which runs it. Your picture stays on this machine.`;

byId('choose').addEventListener('click', () => chooseFiles((files) => open(files), 'image/*'));
listenToDrops((files) => open(files));
which.addEventListener('change', () => attempt(() => choose(picture!, which.selectedIndex)));
go.addEventListener('click', () => readIt());
byId('sample').addEventListener('submit', (event) => event.preventDefault());
for (const field of [words, font]) field.addEventListener('input', () => writeSample());
text.addEventListener('input', () => alignIt());
byId('as-read').addEventListener('click', () => {
  if (!read) return;
  text.value = read.text;
  show(read);
});
byId('lattice').addEventListener('click', () => attempt(() => handOver(picture!.name, cutOut(line!, 200))));
/** What the line may be; the same line is read anew when that changes. */
const expected = listenToExpected(() => {
  if (!line) return;
  read = undefined;
  byId('reading').classList.add('stale');
  if (reader.loaded) readIt();
});
writeSample();

function writeSample(): void {
  const written = words.value.trim();
  if (written) attempt(() => choose(pictureOf('the line that you wrote', sampleOf(written, font.value)), 0));
}

async function open(files: readonly File[]): Promise<void> {
  await attempt(async () => {
    const file = files.find(isPicture);
    if (!file) throw new RangeError(`${files[0]?.name ?? 'the file'}: expected a picture of a line of text`);
    choose(await openPicture(file), 0);
  });
}

/** Another line to read; once the reader is there, it does so at once. */
function choose(chosen: Picture, index: number): void {
  const next = lineOf(chosen, index);
  if (chosen !== picture) {
    byId('which').hidden = chosen.lines.length < 2;
    which.replaceChildren(
      ...chosen.lines.map((_, i) => make('option', {}, `${i + 1} of ${chosen.lines.length}`)),
    );
    if (chosen.lines.length > 1)
      notify(`There are ${chosen.lines.length} lines in this picture. The reader reads one: choose which.`);
  }
  [picture, line, read] = [chosen, next, undefined];
  which.selectedIndex = index;
  sheet.show(chosen, index);
  byId('reading').classList.add('stale');
  if (reader.loaded) readIt();
  else go.hidden = false;
}

let reading = false;
/** The line that is looked at; another one as soon as the last is read. */
async function readIt(): Promise<void> {
  if (reading) return;
  reading = true;
  go.disabled = true;
  byId('reading').ariaBusy = 'true';
  while (line && !read) {
    const [asked, what] = [line, expected()];
    const quick = reader.loaded;
    const told = await whileBusy((signal, say) =>
      readLine(asked, { signal, say: quick ? () => {} : say }, what),
    );
    if (!told) break;
    if (asked !== line || JSON.stringify(what) !== JSON.stringify(expected())) continue;
    read = told;
    text.value = told.text;
    byId('cost').hidden = true;
    byId('reads').textContent = told.text ? `It reads: ${told.text}` : 'It reads nothing.';
    show(told);
  }
  byId('reading').ariaBusy = 'false';
  go.hidden = Boolean(read);
  go.disabled = false;
  reading = false;
}

let asked = 0;
/** The text that was typed, where it is in the line. */
async function alignIt(): Promise<void> {
  if (!read) return;
  const mine = ++asked;
  const [of, typed] = [read, text.value];
  const told = await whileBusy((signal) => alignText(typed, { signal, say: () => {} }));
  if (!told || mine !== asked || of !== read) return;
  show(told);
  if (told.characters.length === 0 && typed.trim())
    notify(`This text has no place in ${of.emissions.dims[0]} frames: it is too long for the line.`);
}

/** Characters, in the list and over the picture. */
function show(found: Characters): void {
  shown = found;
  picked = undefined;
  const boxes = boxesOf(line!.ink, found.characters, frameWidth);
  sheet.mark(found.characters.map(({ confidence }, i) => ({ box: inPicture(line!, boxes[i]!), confidence })));
  let at = 0;
  characters.show(
    found.characters.map(({ text: character, confidence }) => {
      const place = Math.max(at, found.text.indexOf(character, at));
      const apart = /\s/.test(found.text.slice(at, place));
      at = place + character.length;
      return { text: character, apart, confidence };
    }),
  );
  byId<HTMLButtonElement>('as-read').disabled = found === read;
  byId('reading').hidden = false;
  byId('reading').classList.remove('stale');
  const isForced = found === read && read.free !== read.text;
  const freely = byId('freely');
  freely.hidden = !isForced;
  freely.replaceChildren('Expecting nothing, it reads ', make('b', {}, read?.free || 'nothing'), '.');
  const doubt = byId('doubt');
  const sure =
    found.characters.reduce((sum, { confidence }) => sum + confidence, 0) / found.characters.length;
  doubt.hidden = found !== read || sure >= doubtful;
  doubt.textContent = isForced
    ? found.characters.length
      ? 'What you expect hardly fits.'
      : 'Nothing that you expect fits.'
    : found.characters.length
      ? 'It is not sure. It is best at one printed line, upright, evenly lit, without much around it.'
      : 'It reads nothing here. It is made for one printed line of Latin letters, digits or Chinese.';
  look(undefined);
}

/** A character: its box, its place in the list, its frames. */
function look(index: number | undefined): void {
  sheet.point(index);
  characters.point(index);
  showGuesses(byId('frames'), index === undefined ? undefined : shown?.characters[index], read);
}

/** What fails is told. */
async function attempt(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    notify((error as Error).message);
  }
}
