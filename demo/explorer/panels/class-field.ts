// A class that somebody chooses.
import { make } from '../../shared/dom.js';
import type { Source } from '../sources/source.js';

/** Of more classes than one looks through, one is chosen by its number. */
const mostOptions = 200;

export function classField(
  name: string,
  { vocabulary, classes }: Pick<Source, 'vocabulary' | 'classes'>,
  value: number,
  choose: (c: number) => void,
): HTMLElement {
  if (classes > mostOptions) {
    const input = make('input', { type: 'number', ariaLabel: `${name}, a class from 0 to ${classes - 1}` });
    Object.assign(input, { min: 0, max: classes - 1, value });
    input.addEventListener('change', () => {
      const c = input.valueAsNumber;
      if (Number.isInteger(c) && c >= 0 && c < classes) choose(c);
    });
    return input;
  }
  // a label's text would count the options in
  const select = make('select', { ariaLabel: name });
  for (let c = 0; c < classes; c++) {
    const option = make('option', { value: String(c) }, vocabulary.token(c) ?? `class ${c}`);
    option.selected = c === value;
    select.append(option);
  }
  select.addEventListener('change', () => choose(Number(select.value)));
  return select;
}
