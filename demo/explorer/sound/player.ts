// The sweep, forwards and then back, on a scrubber.
export interface Position {
  readonly direction: 'forward' | 'backward';
  /** The last frame that is reached. */
  readonly frame: number;
}

export interface PlayerEvents {
  /** Undefined: the sweep is over, all is shown. */
  moved(position: Position | undefined): void;
}

const duration = 1500;

export class Player {
  readonly #button: HTMLButtonElement;
  readonly #scrubber: HTMLInputElement;
  readonly #output: HTMLOutputElement;
  readonly #events: PlayerEvents;
  #frames = 1;
  #playing = 0;

  constructor(
    button: HTMLButtonElement,
    scrubber: HTMLInputElement,
    output: HTMLOutputElement,
    events: PlayerEvents,
  ) {
    this.#button = button;
    this.#scrubber = scrubber;
    this.#output = output;
    this.#events = events;
    button.addEventListener('click', () => (this.#playing ? this.stop() : this.play()));
    scrubber.addEventListener('input', () => {
      this.stop();
      this.#tell();
    });
  }

  /** A lattice of so many frames: the scrubber goes through them twice. */
  set frames(frames: number) {
    if (frames === this.#frames) return;
    this.stop();
    this.#frames = frames;
    this.#scrubber.max = String(2 * frames);
    this.end();
  }

  /** To where everything is known. */
  end(): void {
    this.stop();
    this.#scrubber.value = this.#scrubber.max;
    this.#tell();
  }

  /** Both sweeps; those who do not want motion see the end of it. */
  play(milliseconds = duration * 2): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.end();
      return;
    }
    const most = 2 * this.#frames;
    const from = Number(this.#scrubber.value) >= most ? 0 : Number(this.#scrubber.value);
    const start = performance.now();
    this.#show(true);
    const step = (now: number) => {
      const at = Math.min(most, from + ((now - start) / milliseconds) * most);
      this.#scrubber.value = String(Math.floor(at));
      this.#tell();
      if (at < most) this.#playing = requestAnimationFrame(step);
      else this.stop();
    };
    this.#playing = requestAnimationFrame(step);
  }

  stop(): void {
    cancelAnimationFrame(this.#playing);
    this.#playing = 0;
    this.#show(false);
  }

  #show(playing: boolean): void {
    this.#button.classList.toggle('playing', playing);
    this.#button.ariaLabel = playing ? 'Pause' : 'Play the sweep';
  }

  #tell(): void {
    const at = Number(this.#scrubber.value);
    const most = 2 * this.#frames;
    const forward = at < this.#frames;
    const frame = forward ? at : most - 1 - at;
    const words =
      at >= most
        ? 'both sweeps done'
        : `${forward ? 'forward' : 'backward'}, frame ${frame} of ${this.#frames}`;
    this.#output.value = words;
    this.#scrubber.ariaValueText = words;
    this.#events.moved(at >= most ? undefined : { direction: forward ? 'forward' : 'backward', frame });
  }
}
