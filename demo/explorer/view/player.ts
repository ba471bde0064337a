// Goes through the frames of what is shown, once or there and back: played, by steps, or on a scrubber.
import type { Layer } from '../../shared/layers.js';

export type Direction = 'forward' | 'backward';

export interface Position {
  readonly direction: Direction;
  /** The last frame that is reached. */
  readonly frame: number;
}

/** In which directions a layer comes about: the path mass needs both sweeps. */
export const sweepsOf: Readonly<Record<Layer, readonly Direction[]>> = {
  posterior: ['forward', 'backward'],
  alpha: ['forward'],
  beta: ['backward'],
  probability: ['forward'],
  gradient: ['forward'],
  change: ['forward'],
};

export interface PlayerControls {
  readonly play: HTMLButtonElement;
  readonly scrubber: HTMLInputElement;
  readonly output: HTMLOutputElement;
  /** Buttons for a step back, a step on, and the speed: there while something is under way. */
  readonly steps: HTMLElement;
}

/** Milliseconds for all frames, in one direction. */
const duration = 1500;
const speeds = [1, 0.5, 0.25, 2];

const reducesMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export class Player {
  readonly #controls: PlayerControls;
  readonly #moved: (position: Position | undefined) => void;
  #frames = 1;
  #first = 0;
  #sweeps: readonly Direction[] = ['forward'];
  #speed = 0;
  #playing = 0;

  /** `moved`: undefined when all frames have been gone through, and all is shown. */
  constructor(controls: PlayerControls, moved: (position: Position | undefined) => void) {
    this.#controls = controls;
    this.#moved = moved;
    const { play, scrubber, steps } = controls;
    play.addEventListener('click', () => (this.#playing ? this.stop() : this.play()));
    scrubber.addEventListener('input', () => {
      this.stop();
      this.#tell();
    });
    const [back, on, speed] = [...steps.querySelectorAll('button')] as HTMLButtonElement[];
    back!.addEventListener('click', () => this.step(-1));
    on!.addEventListener('click', () => this.step(1));
    speed!.addEventListener('click', () => {
      this.#speed = (this.#speed + 1) % speeds.length;
      speed!.textContent = `${speeds[this.#speed]}×`;
      // from where it is, at the new speed
      if (this.#playing) this.play();
    });
    matchMedia('(prefers-reduced-motion: reduce)').addEventListener('change', () => this.#show());
    this.#show();
  }

  /** Other frames, or other sweeps through them: all is shown. `first`: of the recording, the frame that is the first here. */
  setUp(frames: number, sweeps: readonly Direction[], first = 0): void {
    this.#first = first;
    const isSame = frames === this.#frames && sweeps.join() === this.#sweeps.join();
    if (isSame && !this.#controls.scrubber.disabled) return;
    this.#frames = frames;
    this.#sweeps = sweeps;
    Object.assign(this.#controls.scrubber, { disabled: false, max: String(this.#most) });
    this.#controls.play.disabled = false;
    this.end();
  }

  /** To where all is shown. */
  end(): void {
    this.stop();
    this.#goTo(this.#most);
  }

  /** From where it is, or from the beginning. Those who do not want motion go a step further with each call. */
  play(speed = speeds[this.#speed]!): void {
    if (reducesMotion()) {
      this.step(1);
      return;
    }
    cancelAnimationFrame(this.#playing);
    const most = this.#most;
    const from = this.#at >= most ? 0 : this.#at;
    const perFrame = duration / this.#frames / speed;
    const start = performance.now();
    const step = (now: number) => {
      const at = Math.min(most, from + (now - start) / perFrame);
      this.#goTo(Math.floor(at));
      if (at < most) this.#playing = requestAnimationFrame(step);
      else this.stop();
    };
    this.#playing = requestAnimationFrame(step);
    this.#show();
  }

  /** So many frames on, or back. After the last comes the first. */
  step(by: number): void {
    this.stop();
    const positions = this.#most + 1;
    this.#goTo((this.#at + by + positions) % positions);
  }

  stop(): void {
    cancelAnimationFrame(this.#playing);
    this.#playing = 0;
    this.#show();
  }

  get #most(): number {
    return this.#sweeps.length * this.#frames;
  }

  get #at(): number {
    return Number(this.#controls.scrubber.value);
  }

  #goTo(at: number): void {
    this.#controls.scrubber.value = String(at);
    this.#tell();
  }

  #show(): void {
    const { play } = this.#controls;
    const playing = this.#playing !== 0;
    play.classList.toggle('playing', playing);
    play.classList.toggle('stepping', reducesMotion());
    play.ariaLabel = playing ? 'Pause' : reducesMotion() ? 'A frame further' : 'Play';
  }

  #tell(): void {
    const at = this.#at;
    const isDone = at >= this.#most;
    const direction = this.#sweeps[Math.floor(at / this.#frames)] ?? 'forward';
    const passed = at % this.#frames;
    const frame = direction === 'forward' ? passed : this.#frames - 1 - passed;
    const words = isDone
      ? 'all frames'
      : `${direction}: frame ${this.#first + frame} of ${this.#first} to ${this.#first + this.#frames - 1}`;
    this.#controls.output.value = words;
    this.#controls.scrubber.ariaValueText = words;
    this.#controls.steps.hidden = isDone;
    this.#moved(isDone ? undefined : { direction, frame });
  }
}
