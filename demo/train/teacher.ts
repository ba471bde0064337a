// The page's side of the training: a worker, another one when its GPU goes away, and the last weights in between.

import type { Stroke } from '../../learning/glyphs.js';
import type { Watched } from '../../learning/phase.js';
import { defaults, type PenReading, type TrainerSettings } from '../../learning/settings.js';
import type { Handwriting } from '../../learning/writer.js';
import {
  type Asked,
  type Filmed,
  type History,
  noWebGpu,
  type Told,
  type TrainingDevice,
} from './protocol.js';

export interface Heard {
  /** A trainer is there, with what it has behind it: another network, or the one that a lost device interrupted. */
  opened(on: string, history: History, another: boolean): void;
  stepped(steps: number, loss: number, milliseconds: number): void;
  film(steps: number, reading: PenReading): void;
  watched(watched: Watched): void;
  /** With what was learned by then. */
  measured(steps: number, rate: number, weights: Uint8Array<ArrayBuffer>): void;
  paused(): void;
  /** The device is gone; the training goes on from `steps` in a moment. */
  lost(steps: number): void;
  /** It stopped. */
  failed(message: string): void;
  /** Another training could not begin. `before`: the one before is still there; without, there is none. */
  refused(message: string, before: boolean): void;
}

/** So many devices lost in a minute are enough: from then on it runs without WebGPU. */
const mostLosses = 3;

const hasWebGpu = 'gpu' in navigator && Boolean(navigator.gpu);

/** Not the browser's: it may be of a worker's making. */
interface WeightsFile {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** A file of weights, and the steps that they have learned in. */
export interface Saved {
  readonly steps: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class Teacher {
  readonly #heard: Heard;
  readonly #device: TrainingDevice;
  #worker: Worker | undefined;
  /** Of which nothing has been heard yet. */
  #next: Worker | undefined;
  #nextFile: WeightsFile | undefined;
  #nextSettings: Partial<TrainerSettings> = {};
  #settings: TrainerSettings = defaults;
  #own: readonly Handwriting[] = [];
  #filmed: Filmed;
  /** The last weights, and how many steps made them. */
  #saved: { file: WeightsFile | undefined; steps: number } = { file: undefined, steps: 0 };
  #until: number | undefined;
  readonly #losses: number[] = [];
  #readings = new Map<number, { strokes: readonly Stroke[]; resolve: (reading: PenReading) => void }>();
  #files = new Map<number, (saved: Saved) => void>();
  #id = 0;

  /** `strokes`: of the film. */
  constructor(device: TrainingDevice, strokes: readonly Stroke[], heard: Heard) {
    this.#filmed = { id: 0, strokes };
    // a page without WebGPU has no worker with it
    this.#device = hasWebGpu ? device : 'cpu';
    this.#heard = heard;
  }

  get settings(): TrainerSettings {
    return this.#settings;
  }

  /** Steps until which it is asked to train; none: it is not. */
  get until(): number | undefined {
    return this.#until;
  }

  /** A new trainer, or one that goes on from a file. The one before stays until it is there: a file may be no such file. */
  open(settings: Partial<TrainerSettings> = {}, file?: WeightsFile): void {
    this.pause();
    // a file says how it was trained
    const asked = file ? settings : { ...this.#settings, ...settings };
    const next = this.#start(asked, file, this.#device, false);
    this.#next?.terminate();
    this.#next = next;
    this.#nextFile = file;
    this.#nextSettings = asked;
    this.#worker ??= next;
  }

  #start(
    settings: Partial<TrainerSettings>,
    file: WeightsFile | undefined,
    device: TrainingDevice,
    patient: boolean,
  ): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    const heard = (told: Told) => {
      if (worker === this.#next) this.#heardFirst(told);
      else if (worker === this.#worker) this.#told(told);
    };
    worker.onmessage = ({ data }: MessageEvent<Told>) => heard(data);
    worker.onerror = ({ message }) =>
      heard({ kind: 'failed', message: message || 'the training could not be loaded' });
    const open: Asked = {
      kind: 'open',
      settings,
      ...(file && { saved: file }),
      device,
      patient,
      own: this.#own,
      filmed: this.#filmed,
    };
    worker.postMessage(open);
    return worker;
  }

  /** From the next worker: it is there, or it will not be. */
  #heardFirst(told: Told) {
    const next = this.#next!;
    // a device that is lost before anything was heard: the same once more
    if (told.kind === 'lost') {
      this.#next = this.#start(this.#nextSettings, this.#nextFile, this.#deviceAfterLoss(), true);
      next.terminate();
      if (next === this.#worker) this.#worker = this.#next;
      return;
    }
    this.#next = undefined;
    if (told.kind !== 'opened') {
      next.terminate();
      if (next === this.#worker) this.#worker = undefined;
      if (told.kind === 'failed') this.#heard.refused(told.message, this.#worker !== undefined);
      return;
    }
    const before = this.#worker;
    this.#worker = next;
    if (next !== before) {
      before?.terminate();
      // what the one before has been told meanwhile
      this.#ask({ kind: 'own', own: this.#own });
      this.#ask({ kind: 'film', filmed: this.#filmed });
    }
    this.#saved = { file: this.#nextFile, steps: told.history.losses.length };
    this.#goOn();
    this.#opened(told, true);
  }

  #opened({ settings, on, history }: Extract<Told, { kind: 'opened' }>, another: boolean) {
    this.#settings = settings;
    this.#heard.opened(hasWebGpu ? on : noWebGpu, history, another);
  }

  /** What was asked of the worker before. */
  #goOn() {
    if (this.#until !== undefined) this.#ask({ kind: 'train', until: this.#until });
    for (const [id, { strokes }] of this.#readings) this.#ask({ kind: 'read', id, strokes });
    for (const id of this.#files.keys()) this.#ask({ kind: 'save', id });
  }

  #ask(asked: Asked) {
    this.#worker?.postMessage(asked);
  }

  train(until: number): void {
    this.#until = until;
    this.#ask({ kind: 'train', until });
  }

  pause(): void {
    this.#until = undefined;
    this.#ask({ kind: 'pause' });
  }

  set rate(rate: number) {
    this.#settings = { ...this.#settings, rate };
    this.#ask({ kind: 'rate', rate });
  }

  set own(own: readonly Handwriting[]) {
    this.#own = own;
    this.#ask({ kind: 'own', own });
  }

  /** The film is of these strokes from now on, its earlier pictures included. */
  set film(strokes: readonly Stroke[]) {
    this.#filmed = { id: this.#filmed.id + 1, strokes };
    this.#ask({ kind: 'film', filmed: this.#filmed });
  }

  read(strokes: readonly Stroke[]): Promise<PenReading> {
    const id = this.#id++;
    this.#ask({ kind: 'read', id, strokes });
    return new Promise((resolve) => this.#readings.set(id, { strokes, resolve }));
  }

  /** All that was learned, as a file. */
  save(): Promise<Saved> {
    const id = this.#id++;
    this.#ask({ kind: 'save', id });
    return new Promise((resolve) => this.#files.set(id, resolve));
  }

  #told(told: Told) {
    switch (told.kind) {
      case 'opened':
        this.#opened(told, false);
        break;
      case 'stepped':
        this.#heard.stepped(told.steps, told.loss, told.milliseconds);
        break;
      case 'film':
        if (told.id === this.#filmed.id) this.#heard.film(told.steps, told.reading);
        break;
      case 'watched':
        this.#heard.watched(told.watched);
        break;
      case 'measured':
        this.#hold(told.saved, told.steps);
        this.#heard.measured(told.steps, told.rate, told.saved);
        break;
      case 'paused':
        this.#until = undefined;
        this.#heard.paused();
        break;
      case 'read':
        this.#readings.get(told.id)?.resolve(told.reading);
        this.#readings.delete(told.id);
        break;
      case 'saved':
        this.#hold(told.bytes, told.steps);
        this.#files.get(told.id)?.({ steps: told.steps, bytes: told.bytes });
        this.#files.delete(told.id);
        break;
      case 'lost':
        this.#recover();
        break;
      case 'failed':
        this.#until = undefined;
        this.#heard.failed(told.message);
    }
  }

  /** What a lost device does not take along. */
  #hold(bytes: Uint8Array, steps: number) {
    this.#saved = { file: { bytes, name: 'the last weights' }, steps };
  }

  #recover() {
    this.#heard.lost(this.#saved.steps);
    this.#worker?.terminate();
    this.#worker = this.#start(this.#settings, this.#saved.file, this.#deviceAfterLoss(), true);
    this.#goOn();
  }

  #deviceAfterLoss(): TrainingDevice {
    const now = performance.now();
    this.#losses.push(now);
    const recent = this.#losses.filter((at) => now - at < 60_000).length;
    return recent > mostLosses ? 'cpu' : this.#device;
  }
}
