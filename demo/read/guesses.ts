// What the network says about the frames of one character.
import { make } from '../shared/dom.js';
import type { Read } from '../shared/pictures/reader-worker.js';

export interface Looked {
  readonly text: string;
  readonly confidence: number;
  /** Frames; `end` is behind the last. */
  readonly start: number;
  readonly end: number;
}

/** So many frames are shown at most, and so many classes of each. */
const [mostFrames, mostClasses] = [7, 3];

export function showGuesses(root: HTMLElement, looked: Looked | undefined, read: Read | undefined): void {
  const heading = root.querySelector('h2')!;
  const where = root.querySelector('.where')!;
  root.querySelector('table')!.hidden = !looked;
  if (!looked || !read) {
    heading.textContent = 'Frame by frame';
    where.textContent = 'Choose a character to see what the network says about it.';
    return;
  }
  const { text, confidence, start, end } = looked;
  const [frames] = read.emissions.dims;
  heading.textContent = `${text}  ${percent(confidence)}`;
  where.textContent = `in ${end - start === 1 ? `frame ${start}` : `frames ${start} to ${end - 1}`} of ${frames}`;
  const rows: HTMLTableRowElement[] = [];
  // those beside it, too
  for (let t = Math.max(0, start - 1); t < Math.min(frames, end + 1) && rows.length < mostFrames; t++) {
    const cells = bestOf(read, t).map(({ name, isSign, p }) => {
      const cell = make('td', {}, make(isSign ? 'b' : 'i', {}, name), ` ${percent(p)}`);
      cell.style.setProperty('--p', `${100 * p}%`);
      return cell;
    });
    const number = make('th', { scope: 'row' }, String(t));
    rows.push(make('tr', { className: t >= start && t < end ? 'own' : '' }, number, ...cells));
  }
  root.querySelector('tbody')!.replaceChildren(...rows);
}

/** The likeliest classes of a frame, the best first. The blank and the space are written out: they are no signs. */
function bestOf({ emissions, tokens }: Read, t: number) {
  const classes = emissions.dims[1];
  const row = emissions.data.subarray(t * classes, (t + 1) * classes);
  const best: number[] = [];
  row.forEach((p, c) => {
    const place = best.findIndex((other) => p > row[other]!);
    if (place >= 0) best.splice(place, 0, c);
    else if (best.length < mostClasses) best.push(c);
    best.length = Math.min(best.length, mostClasses);
  });
  return best.map((c) => {
    const token = tokens[c]!;
    const name = token === '<blank>' ? 'blank' : token.trim() || 'space';
    return { name, isSign: name === token, p: row[c]! };
  });
}

/** Of what is not nothing, never 0. */
const percent = (p: number): string =>
  p >= 0.995
    ? `${p > 0.9995 ? '100' : (100 * p).toFixed(1)} %`
    : p < 0.005
      ? '< 1 %'
      : `${Math.round(100 * p)} %`;
