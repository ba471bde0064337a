// What the page and its worker tell each other.

import type { Stroke } from '../../learning/glyphs.js';
import type { Watched } from '../../learning/phase.js';
import type { ErrorRate, PenReading, TrainerSettings } from '../../learning/settings.js';
import type { Handwriting } from '../../learning/writer.js';

/** Where it trains. `auto`: on the GPU, but for one that is software, which takes longer than the CPU. */
export type TrainingDevice = 'auto' | 'gpu' | 'cpu';

/** Steps between two measurements of the error rate, after each of which the weights are kept. */
export const measureEvery = 25;

/** Said of a page or a worker that has none. */
export const noWebGpu = 'CPU: there is no WebGPU here';

/** What the film shows. `id`: another one for other strokes. */
export interface Filmed {
  readonly id: number;
  readonly strokes: readonly Stroke[];
}

export type Asked =
  /** Once: a trainer, new or from saved weights. `patient`: a GPU that is not there yet is waited for. */
  | {
      readonly kind: 'open';
      /** Those that are missing are of what was saved, or the usual ones. */
      readonly settings: Partial<TrainerSettings>;
      readonly saved?: { readonly bytes: Uint8Array; readonly name: string };
      readonly device: TrainingDevice;
      readonly patient: boolean;
      readonly own: readonly Handwriting[];
      readonly filmed: Filmed;
    }
  | { readonly kind: 'train'; readonly until: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'rate'; readonly rate: number }
  | { readonly kind: 'own'; readonly own: readonly Handwriting[] }
  /** The film of these strokes, from the first step on as far as that is remembered. */
  | { readonly kind: 'film'; readonly filmed: Filmed }
  | { readonly kind: 'read'; readonly id: number; readonly strokes: readonly Stroke[] }
  | { readonly kind: 'save'; readonly id: number };

export interface History {
  readonly losses: readonly number[];
  readonly errors: readonly ErrorRate[];
}

export type Told =
  | {
      readonly kind: 'opened';
      readonly on: string;
      readonly settings: TrainerSettings;
      readonly history: History;
    }
  | { readonly kind: 'stepped'; readonly steps: number; readonly loss: number; readonly milliseconds: number }
  /** A picture of the film: how the strokes of `id` are read after so many steps. */
  | { readonly kind: 'film'; readonly id: number; readonly steps: number; readonly reading: PenReading }
  | { readonly kind: 'watched'; readonly watched: Watched }
  | (ErrorRate & { readonly kind: 'measured'; readonly saved: Uint8Array<ArrayBuffer> })
  | { readonly kind: 'paused' }
  | { readonly kind: 'read'; readonly id: number; readonly reading: PenReading }
  | {
      readonly kind: 'saved';
      readonly id: number;
      readonly steps: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | { readonly kind: 'lost' }
  | { readonly kind: 'failed'; readonly message: string };
