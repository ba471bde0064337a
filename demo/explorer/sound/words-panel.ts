// Words over the waveform, where there is a sound, and in a list: their boundaries can be moved. wavesurfer.js draws and plays.

import WaveSurfer from 'wavesurfer.js';
import Regions, { type Region } from 'wavesurfer.js/plugins/regions';
import type { TimedWord } from 'webgpu-ctc/text';
import { palette } from '../../shared/canvas.js';
import { make } from '../../shared/dom.js';
import type { Span } from '../view/viewport.js';
import { WordList, type WordListSource } from './word-list.js';

export interface WordsPanelOptions {
  /** Where the waveform goes. */
  readonly wave: HTMLElement;
  /** Where the list goes. */
  readonly list: HTMLElement;
  /** Its sound is what the waveform shows; none: the list alone. */
  readonly audio: HTMLAudioElement | undefined;
  /** Word `index` begins or ends elsewhere. */
  readonly moved: (index: number, start: number, end: number) => void;
  readonly reset: () => void;
}

/** What lies under it stays visible. */
const softened = (colour: string) => `color-mix(in srgb, ${colour} 14%, transparent)`;

export class WordsPanel {
  readonly #options: WordsPanelOptions;
  readonly #surfer: WaveSurfer | undefined;
  readonly #list: WordList;
  readonly #regions = Regions.create();
  #words: readonly TimedWord[] = [];
  #visible: { from: number; to: number } | undefined;
  #ready = false;

  constructor(options: WordsPanelOptions) {
    this.#options = options;
    const { audio, moved, reset } = options;
    const play =
      audio &&
      ((seconds: number) => {
        audio.currentTime = seconds;
        audio.play().catch(() => {});
      });
    this.#list = new WordList(options.list, { moved, reset, play });
    if (!audio) return;
    const colour = palette();
    this.#surfer = WaveSurfer.create({
      ...{ container: options.wave, media: audio, plugins: [this.#regions], height: 'auto' },
      ...{ waveColor: colour('blank'), progressColor: colour('blank'), cursorColor: colour('path') },
      ...{ cursorWidth: 2, fillParent: false, hideScrollbar: true, autoScroll: false, autoCenter: false },
      ...{ interact: true, normalize: true },
    });
    this.#surfer.on('ready', () => {
      this.#ready = true;
      this.#draw();
      this.#look();
    });
    this.#regions.on('region-update', (region, side) => this.#keepApart(region, side));
    this.#regions.on('region-updated', ({ id, start, end }) => options.moved(Number(id), start, end));
    this.#regions.on('region-clicked', (region, event) => {
      event.stopPropagation();
      audio.currentTime = region.start;
    });
  }

  /** The words, in order and not over one another. */
  show(words: readonly TimedWord[], isMoved: boolean, source: WordListSource): void {
    this.#words = words;
    this.#draw();
    this.#list.show(words, isMoved, source);
  }

  /** The frames that the lattice beside it shows. */
  look({ first, end }: Span, frameSeconds: number): void {
    this.#visible = { from: first * frameSeconds, to: end * frameSeconds };
    this.#look();
  }

  /** What is seen of the waveform and its words, for a picture. In CSS pixels of the page. */
  drawOn(context: CanvasRenderingContext2D): void {
    if (!this.#surfer) return;
    const seen = this.#options.wave.getBoundingClientRect();
    const colour = palette();
    context.save();
    context.beginPath();
    context.rect(seen.left, seen.top, seen.width, seen.height);
    context.clip();
    for (const canvas of this.#surfer.getWrapper().querySelectorAll<HTMLCanvasElement>('.canvases canvas')) {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      context.drawImage(canvas, left, top, width, height);
    }
    Object.assign(context, { textBaseline: 'top', font: '600 13px ui-sans-serif, system-ui, sans-serif' });
    for (const { element } of this.#regions.getRegions()) {
      const { left, top, width, height } = element!.getBoundingClientRect();
      context.fillStyle = softened(colour('label'));
      context.fillRect(left, top, width, height);
      context.fillStyle = colour('label');
      context.fillRect(left, top, 1, height);
      context.fillText(element!.textContent ?? '', left + 4, top + 2, Math.max(1, width - 6));
    }
    context.restore();
  }

  destroy(): void {
    this.#surfer?.destroy();
    this.#options.list.replaceChildren();
  }

  #look(): void {
    if (!this.#surfer || !this.#ready || !this.#visible) return;
    const { from, to } = this.#visible;
    this.#surfer.zoom(this.#options.wave.clientWidth / (to - from));
    this.#surfer.setScrollTime(from);
  }

  #draw(): void {
    if (!this.#ready) return;
    this.#regions.clearRegions();
    const soft = softened(palette()('label'));
    this.#words.forEach(({ text, start, end }, i) => {
      const content = make('span', {}, text);
      this.#regions.addRegion({
        ...{ id: String(i), start, end, content, color: soft, drag: false, resize: true, minLength: 0.01 },
      });
    });
  }

  /** A word may touch its neighbours, not cross them. */
  #keepApart(region: Region, side: 'start' | 'end' | undefined): void {
    const i = Number(region.id);
    const before = this.#words[i - 1]?.end ?? 0;
    const after = this.#words[i + 1]?.start ?? this.#surfer!.getDuration();
    if (side === 'start' && region.start < before) region.setOptions({ start: before });
    if (side === 'end' && region.end > after) region.setOptions({ end: after });
  }
}
