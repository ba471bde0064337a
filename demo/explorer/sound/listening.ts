// The sound of what is looked at, and where it is.
import { byId, notify } from '../../shared/dom.js';

export class Listening {
  readonly audio = new Audio();
  readonly #button = byId<HTMLButtonElement>('listen');
  readonly #moved: (seconds: number | undefined) => void;
  #url: string | undefined;
  #sound: string | Blob | undefined;

  /** `moved`: where the sound is, while it plays or waits in its middle. */
  constructor(moved: (seconds: number | undefined) => void) {
    this.#moved = moved;
    const { audio } = this;
    audio.preload = 'auto';
    this.#button.addEventListener('click', () => this.toggle());
    const step = () => {
      this.#tell();
      if (!audio.paused) requestAnimationFrame(step);
    };
    for (const event of ['play', 'pause', 'ended', 'seeked']) {
      audio.addEventListener(event, () => {
        this.#button.classList.toggle('playing', !audio.paused);
        this.#button.ariaLabel = audio.paused ? 'Listen' : 'Stop listening';
        step();
      });
    }
    audio.addEventListener('error', () => {
      if (this.#sound) notify(`The sound could not be played: ${audio.error?.message || 'unknown format'}`);
    });
  }

  get sound(): string | Blob | undefined {
    return this.#sound;
  }

  set sound(sound: string | Blob | undefined) {
    if (sound === this.#sound) return;
    this.#sound = sound;
    this.#button.hidden = !sound;
    this.audio.pause();
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = sound instanceof Blob ? URL.createObjectURL(sound) : undefined;
    const url = this.#url ?? sound;
    if (typeof url === 'string') this.audio.src = url;
    else this.audio.removeAttribute('src');
    this.#moved(undefined);
  }

  async toggle(): Promise<void> {
    const { audio } = this;
    if (!audio.paused) audio.pause();
    // a newer sound, or a pause, ends what plays
    else await audio.play().catch(() => {});
  }

  #tell(): void {
    const { currentTime, paused, ended } = this.audio;
    this.#moved(ended || (paused && currentTime === 0) ? undefined : currentTime);
  }
}
