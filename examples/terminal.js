/** Text for a terminal: colour and block characters where a person reads it, ASCII where a file or a pipe does. */

const { NO_COLOR, TERM } = process.env;
const rich = Boolean(process.stdout.isTTY) && !NO_COLOR && TERM !== 'dumb';

// such as `npm start | head`
process.stdout.on('error', (error) => {
  if ('code' in error && error.code === 'EPIPE') process.exit();
  throw error;
});

/** Columns that may be used. */
export const width = Math.max(60, Math.min(process.stdout.columns ?? 80, 120)) - 1;

/** @param {string} codes @returns {(text: string) => string} */
const style = (codes) => (text) => (rich ? `\x1b[${codes}m${text}\x1b[0m` : text);
export const bold = style('1');
export const dim = style('2');

// Colours of the 256-colour table that show on dark and on light backgrounds.
const LABEL = 166;
const BLANK = 245;
export const accent = style(`38;5;${LABEL}`);

/** What the marks of `drawLattice` mean. */
export const legend = rich
  ? `${style(`38;5;${LABEL}`)('▀▀')} in the character  ${style(`38;5;${BLANK}`)('▀▀')} in the blank after it  ${dim('posterior above 0.1')}`
  : '# in the character, - in the blank after it (+ and . below one half)';

/** Breaks text between words, so that no line is longer than the terminal. @param {string} text @param {number} indent */
export function wrap(text, indent) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (indent + line.length > width && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = line;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** A bar whose length is the share of `most` that `value` has. @param {number} value @param {number} most */
export function bar(value, most, length = 24) {
  const eighths = Math.max(1, Math.round((value / most) * length * 8));
  const drawn = rich
    ? '█'.repeat(eighths >> 3) + (eighths & 7 ? '▏▎▍▌▋▊▉'[(eighths & 7) - 1] : '')
    : '#'.repeat(Math.ceil(eighths / 8));
  return drawn + ' '.repeat(Math.max(0, length - drawn.length));
}

/** A line that takes the place of the last on a terminal; elsewhere only what is `kept` is written. @param {string} text */
export function line(text, kept = false) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${text}`);
  else if (kept) console.log(text);
}

/**
 * Numbers from left to right, down to 0, each column the mean of its share.
 * @param {number[]} values @param {string} most what the highest is
 */
export function curve(values, most, height = 6) {
  const left = 8;
  const columns = Math.min(values.length, width - left);
  const means = Array.from({ length: columns }, (_, column) => {
    const first = Math.floor((column * values.length) / columns);
    const part = values.slice(
      first,
      Math.max(first + 1, Math.floor(((column + 1) * values.length) / columns)),
    );
    return part.reduce((a, b) => a + b) / part.length;
  });
  const top = Math.max(...values) || 1;
  const rows = Array.from({ length: height }, (_, row) => {
    const drawn = means.map((mean) => {
      const level = (mean / top) * height - (height - 1 - row);
      if (!rich) return level >= 0.5 ? '#' : ' ';
      return level >= 1 ? '█' : level <= 0 ? ' ' : (' ▁▂▃▄▅▆▇█'[Math.round(level * 8)] ?? ' ');
    });
    const name = row === 0 ? most : row === height - 1 ? '0' : '';
    return `${dim(name.padStart(left - 2))}  ${drawn.join('')}`.trimEnd();
  });
  return rows.join('\n');
}

/**
 * The posterior lattice, time across and labels down. A row is a label and the blank after it (the first row has the blank
 * before it, too); a cell shows the largest posterior of its frames.
 *
 * @param {object} lattice
 * @param {Float64Array} lattice.posterior [T, L], probabilities
 * @param {number} lattice.frames T
 * @param {number} lattice.frameSeconds
 * @param {string} lattice.labels one character each
 * @param {Map<number, string>} lattice.notes what to write beside a row
 * @returns {string[]} lines
 */
export function drawLattice({ posterior, frames, frameSeconds, labels, notes }) {
  const left = 6;
  const columns = Math.min(width - left, frames);
  const states = 2 * labels.length + 1;
  const largest = (/** @type {number} */ state, /** @type {number} */ column) => {
    let most = 0;
    const end = ((column + 1) * frames) / columns;
    for (let t = Math.floor((column * frames) / columns); t < end && t < frames; t++)
      most = Math.max(most, posterior[t * states + state]);
    return most;
  };
  const cells = Array.from(labels, (_, row) =>
    Array.from({ length: columns }, (_, column) => ({
      label: largest(2 * row + 1, column),
      blank: Math.max(largest(2 * row + 2, column), row === 0 ? largest(0, column) : 0),
    })),
  );
  const lines = rich ? halfBlocks(cells) : ascii(cells);
  const perLine = rich ? 2 : 1;
  const shown = labels.replaceAll(' ', rich ? '·' : '_');
  const drawn = lines.map((line, i) => {
    const name = dim(shown.slice(i * perLine, (i + 1) * perLine).padStart(left - 2));
    const note = [...notes].find(([row]) => Math.floor(row / perLine) === i)?.[1];
    return `${name}  ${note ? annotate(line, note) : line.map(({ text }) => text).join('')}`.trimEnd();
  });
  return [...drawn, ...timeAxis(columns, frames * frameSeconds).map((line) => dim(' '.repeat(left) + line))];
}

/** @typedef {{ label: number, blank: number }} Cell @typedef {{ text: string, used: boolean }} Glyph */

/** Two rows a line: upper and lower half of a character have colours of their own. @param {Cell[][]} cells @returns {Glyph[][]} */
function halfBlocks(cells) {
  const colour = (/** @type {Cell | undefined} */ cell) =>
    !cell ? 0 : cell.label >= 0.1 ? LABEL : cell.blank >= 0.1 ? BLANK : 0;
  return cells
    .filter((_, row) => row % 2 === 0)
    .map((upperRow, i) =>
      upperRow.map((cell, column) => {
        const upper = colour(cell);
        const lower = colour(cells[2 * i + 1]?.[column]);
        if (!upper && !lower) return { text: ' ', used: false };
        const text = !lower
          ? `\x1b[38;5;${upper}m▀\x1b[0m`
          : !upper
            ? `\x1b[38;5;${lower}m▄\x1b[0m`
            : `\x1b[38;5;${upper};48;5;${lower}m▀\x1b[0m`;
        return { text, used: true };
      }),
    );
}

/** @param {Cell[][]} cells @returns {Glyph[][]} */
function ascii(cells) {
  const glyph = ({ label, blank }) =>
    label >= 0.5 ? '#' : label >= 0.1 ? '+' : blank >= 0.5 ? '-' : blank >= 0.1 ? '.' : ' ';
  return cells.map((row) =>
    row.map((cell) => {
      const text = glyph(cell);
      return { text, used: text !== ' ' };
    }),
  );
}

/** Writes a note where its line is empty: after what is drawn, or before it. @param {Glyph[]} line @param {string} note */
function annotate(line, note) {
  const texts = line.map(({ text }) => text);
  const first = line.findIndex(({ used }) => used);
  const last = line.findLastIndex(({ used }) => used);
  const at = last + 2 + note.length <= line.length ? last + 2 : first - 1 - note.length;
  texts.splice(at, note.length, bold(note));
  return texts.join('');
}

/** @param {number} columns @param {number} seconds */
function timeAxis(columns, seconds) {
  const step = [0.5, 1, 2, 5, 10].find((s) => (s / seconds) * columns >= 8) ?? 30;
  const ruler = Array(columns).fill(rich ? '─' : '-');
  const numbers = Array(columns + 8).fill(' ');
  for (let time = 0; time <= seconds; time += step) {
    const column = Math.round((time / seconds) * columns);
    if (column >= columns) break;
    ruler[column] = rich ? '┴' : '+';
    const text = time === 0 ? '0 s' : String(time);
    numbers.splice(Math.max(0, column - (time === 0 ? 0 : text.length >> 1)), text.length, ...text);
  }
  return [ruler.join(''), numbers.join('').trimEnd()];
}
