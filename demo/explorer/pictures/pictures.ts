// Pictures of text in the explorer: what a reader says of a line, and the line above its lattice. Nothing is sent anywhere.
import { byId } from '../../shared/dom.js';
import { type Line, lineOf, openPicture } from '../../shared/pictures/picture.js';
import { type ReadOptions, reader, readLine } from '../../shared/pictures/reading.js';
import { frameOf } from '../engine/analysis.js';
import type { Page } from '../page.js';
import type { Own } from '../sources/source.js';
import { PictureStrip } from './strip.js';

export class Pictures {
  readonly #page: Page;
  #strip: PictureStrip | undefined;

  constructor(page: Page) {
    this.#page = page;
    page.listen(() => this.#show());
    page.stage.listen(() => this.#look());
    page.store.listen(() => this.#point());
  }

  /** @throws RangeError naming the picture and what is wrong. */
  async lineIn(file: File): Promise<Line> {
    const picture = await openPicture(file);
    const { length } = picture.lines;
    if (length > 1)
      throw new RangeError(
        `${file.name}: expected one line of text, got ${length}. The page that reads pictures lets you choose one, and see its lattice here.`,
      );
    return lineOf(picture, 0);
  }

  /** @throws RangeError naming the picture and what is wrong; the signal's reason when it is aborted. */
  async read(file: File, options: ReadOptions): Promise<Own> {
    const line = await this.lineIn(file);
    try {
      const { emissions, tokens } = await readLine(line, options);
      const { data, dims: shape } = emissions;
      const tensor = { name: file.name, dtype: 'f4', data, shape } as const;
      const vocabulary = { name: 'its dictionary', text: JSON.stringify(tokens) };
      return { candidates: [{ tensor, said: 'probs' }], chosen: 0, vocabulary, line };
    } finally {
      // the lattice needs the memory more
      reader.close();
    }
  }

  /** After each analysis: above the lattice of a line, and of nothing else. */
  #show(): void {
    const { source, whole } = this.#page;
    if (this.#strip?.line !== source?.line) this.#strip = this.#strip?.destroy();
    if (!source?.line || !whole) return;
    this.#strip ??= new PictureStrip(byId('stage'), source.line);
    this.#strip.show(whole, source.vocabulary.delimiter);
    this.#look();
    this.#point();
  }

  #look(): void {
    const { analysis, stage } = this.#page;
    if (!analysis) return;
    const [first, end] = [stage.frames.first, stage.frames.end].map((t) => frameOf(analysis.problem, t));
    this.#strip?.look({ first: first!, end: end! });
  }

  /** The label that is looked at. */
  #point(): void {
    const { analysis, store } = this.#page;
    const { highlight, selected } = store.state;
    const label = highlight ?? (selected && selected.s % 2 === 1 ? selected.s >> 1 : undefined);
    this.#strip?.point(label === undefined ? undefined : label + (analysis?.problem.firstLabel ?? 0));
  }
}
