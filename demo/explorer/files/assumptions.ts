// What was assumed about what was loaded: a line each, which is the control that changes it.
import { scoreKinds } from 'webgpu-ctc/files';
import { make } from '../../shared/dom.js';
import type { Entry } from '../../shared/menus.js';
import { plural } from '../engine/ways.js';
import { classField } from '../panels/class-field.js';
import type { FileLayout, Own, Source, Taken } from '../sources/source.js';
import { sayBest, usualFrame } from './own.js';
import { layoutsOf } from './tensors.js';
import './assumptions.css';

export interface Changes {
  /** `anew`: what no longer holds: the scores, and with them what was done to them, the text, or nothing. */
  change(own: Own, anew: 'scores' | 'text' | 'nothing'): void;
  /** A sound that came with scores is to be recognised. */
  hear(sound: File): void;
}

const kindNames = { logits: 'Logits', 'log-probs': 'Log-probabilities', probs: 'Probabilities' } as const;

const axisNames = { T: 'frames', N: 'items', C: 'classes' } as const;
const layoutName = (layout: FileLayout) =>
  [...layout].map((axis) => axisNames[axis as keyof typeof axisNames]).join(' × ');

/** All that was assumed about a source that was loaded. */
export function assumptions(source: Source, { change, hear }: Changes): Entry[] {
  const own = source.own!;
  const taken = source.taken!;
  return [
    { heading: 'Taken as' },
    ...ofTensors(own, taken, change),
    ...ofScores(own, taken, change),
    // of a picture a frame takes no time
    ...(source.line ? [] : [ofFrame(own, source, change)]),
    ...ofVocabulary(own, source, change),
    ...ofTexts(own, change, hear),
  ];
}

type Change = Changes['change'];

function ofTensors(
  own: Own,
  { shape, layout, swapped, items, item, starred }: Taken,
  change: Change,
): Entry[] {
  const { candidates, chosen, other: _o, kind: _k, layout: _l, item: _i, inputLength: _n, ...rest } = own;
  const lines: Entry[] = [];
  if (candidates.length > 1) {
    const names = candidates.map(
      ({ tensor }, i) => [String(i), `${tensor.name} [${tensor.shape.join(', ')}]`] as const,
    );
    const choose = (i: string) => change({ ...rest, candidates, chosen: Number(i) }, 'scores');
    lines.push(line('Tensor', select('Tensor', names, String(chosen), choose)));
  }
  if (shape.length === 2 || shape.length === 3) {
    const { item: _, inputLength: __, ...whole } = own;
    const options = layoutsOf(shape).map((one) => [one, layoutName(one)] as const);
    const why = `[${shape.join(', ')}]${swapped ? `, ${swapped}` : ''}${starred ? '; a last column of zeros, as of a star, is left out' : ''}`;
    const choose = (one: string) => change({ ...whole, layout: one as FileLayout }, 'scores');
    lines.push(line('Axes', select('Axes', options, layout, choose), why));
  }
  if (items > 1) {
    const { inputLength: _, ...whole } = own;
    const go = (to: number) => change({ ...whole, item: (to + items) % items }, 'scores');
    const step = (name: string, sign: string, to: number) =>
      make('button', { onclick: () => go(to), ariaLabel: name }, sign);
    const buttons = [step('The item before', '‹', item - 1), step('The next item', '›', item + 1)];
    lines.push(line(`Item ${item + 1} of ${items}`, make('div', { className: 'steps' }, ...buttons)));
  }
  return lines;
}

function ofScores(own: Own, { kind, rows, padding }: Taken, change: Change): Entry[] {
  const { kind: asked, inputLength, ...rest } = own;
  const { said } = own.candidates[own.chosen]!;
  const options = scoreKinds.map((one) => [one, kindNames[one]] as const);
  const why = asked ? 'as you say' : said ? 'as the file says' : 'as detected';
  const choose = (one: string) =>
    change(
      { ...rest, ...(inputLength !== undefined && { inputLength }), kind: one as Taken['kind'] },
      'scores',
    );
  const lines = [line('Scores', select('Scores', options, kind, choose), why)];
  if (padding > 0 || inputLength !== undefined) {
    const cut = inputLength === undefined;
    const toggle = () =>
      change({ ...rest, ...(asked && { kind: asked }), ...(cut && { inputLength: rows }) }, 'scores');
    lines.push(
      line(
        cut ? `${plural(padding, 'row')} of padding cut off` : 'Padding is kept',
        make('button', { onclick: toggle }, cut ? 'Keep' : 'Cut off'),
        cut ? `of ${rows}: all classes have one value there` : '',
      ),
    );
  }
  return lines;
}

function ofFrame(own: Own, { frameSeconds = usualFrame, taken }: Source, change: Change): Entry {
  const { frameSeconds: _, ...rest } = own;
  const input = make('input', { type: 'number', step: 'any', min: '0', ariaLabel: 'Frame, in milliseconds' });
  input.value = String(Number((1000 * frameSeconds).toFixed(3)));
  const set = (ms: number) => change(ms > 0 ? { ...rest, frameSeconds: ms / 1000 } : rest, 'nothing');
  input.addEventListener('change', () => set(input.valueAsNumber));
  const why = {
    said: 'as you say; empty: unknown',
    sound: 'the length of the sound, shared by the frames',
    proposed: 'a proposal: nothing says how long a frame is',
  }[taken!.frame];
  const accept = () => set(1000 * frameSeconds);
  const proposal = taken!.frame === 'proposed' ? [action(`Take ${input.value} ms`, accept)] : [];
  return line('Frame, ms', input, why, ...proposal);
}

function ofVocabulary(own: Own, source: Source, change: Change): Entry[] {
  const { vocabulary: file, language: _, blank: __, ...rest } = own;
  const { vocabulary, classes } = source;
  const { blankReason, best, notes, languages } = source.taken!;
  const lines: Entry[] = [];
  if (file) {
    const listed = `${file.name}, ${vocabulary.size.toLocaleString('en')} classes`;
    lines.push(line('Vocabulary', make('span', {}, listed), notes.join('; ')));
  } else lines.push(line('Vocabulary', make('span', {}, 'none'), 'classes go by their numbers'));
  if (file && languages.length > 1) {
    const options = languages.map((name) => [name, name] as const);
    const choose = (language: string) => change({ ...rest, vocabulary: file, language }, 'text');
    lines.push(line('Language', select('Language', options, own.language ?? languages[0]!, choose)));
  }
  const choose = (blank: number) => change({ ...own, blank }, 'text');
  const proposal =
    best.c === vocabulary.blank
      ? []
      : [action(`Take class ${best.c}${nameOf(source, best.c)}`, () => choose(best.c)), `: ${sayBest(best)}`];
  const why = `class ${vocabulary.blank}, ${blankReason === 'it was given' ? 'as you say' : blankReason}`;
  lines.push(
    line('Blank', classField('Blank', { vocabulary, classes }, vocabulary.blank, choose), why, ...proposal),
  );
  return lines;
}

const nameOf = ({ vocabulary, own }: Source, c: number) =>
  own?.vocabulary && vocabulary.token(c) ? `, ${vocabulary.token(c)}` : '';

function ofTexts(own: Own, change: Change, hear: Changes['hear']): Entry[] {
  const { transcript, vocabulary, reference, sound, seconds, ...rest } = own;
  const lines: Entry[] = [];
  const parts = {
    ...(transcript && { transcript }),
    ...(vocabulary && { vocabulary }),
    ...(reference && { reference }),
    ...(sound && { sound }),
    ...(seconds !== undefined && { seconds }),
  };
  if (transcript) {
    const { transcript: _, ...others } = parts;
    const swap = () => change({ ...rest, ...others, vocabulary: transcript }, 'text');
    const other = transcript.guessed && !vocabulary ? [action('It is the vocabulary', swap)] : [];
    lines.push(line('Text', make('span', {}, transcript.name), '', ...other));
  }
  if (vocabulary?.guessed && !transcript) {
    const { vocabulary: _, ...others } = parts;
    const swap = () => change({ ...rest, ...others, transcript: vocabulary }, 'text');
    lines.push(line('', action(`${vocabulary.name} is the text`, swap)));
  }
  if (reference) {
    const { reference: _, ...others } = parts;
    const remove = () => change({ ...rest, ...others }, 'nothing');
    const words = plural(reference.words.length, 'word');
    lines.push(
      line('Reference', make('button', { onclick: remove }, 'Remove'), `${reference.name}, ${words}`),
    );
  }
  const { name } = own.candidates[own.chosen]!.tensor;
  if (sound instanceof File && !name.startsWith(sound.name))
    lines.push(line('Sound', make('button', { onclick: () => hear(sound) }, 'Recognise it'), sound.name));
  return lines;
}

/** What is assumed, the control that changes it, and why it is assumed. */
function line(name: string, control: HTMLElement, why = '', ...more: (HTMLElement | string)[]): Entry {
  const note = make('small', {}, why, why && more.length > 0 ? '. ' : '', ...more);
  const told = make('div', {}, make('span', {}, name), ...(note.textContent ? [note] : []));
  return { element: make('div', { className: 'assumed' }, told, control) };
}

const action = (name: string, onclick: () => void) => make('button', { onclick, className: 'action' }, name);

function select(
  name: string,
  options: readonly (readonly [value: string, text: string])[],
  value: string,
  choose: (value: string) => void,
): HTMLSelectElement {
  const element = make('select', { ariaLabel: name });
  for (const [one, text] of options)
    element.append(make('option', { value: one, selected: one === value }, text));
  element.addEventListener('change', () => choose(element.value));
  return element;
}
