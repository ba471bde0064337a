// What the page and its worker tell each other.

import type { Stroke } from '../../learning/glyphs.js';
import type { ErrorRate, PenReading, TrainerSettings } from '../../learning/settings.js';
import type { Handwriting } from '../../learning/writer.js';

/** Where it trains. `auto`: on the GPU, but for one that is software, which takes longer than the CPU. */
export type TrainingDevice = 'auto' | 'gpu' | 'cpu';

/** Said of a page or a worker that has none. */
export const noWebGpu = 'CPU: there is no WebGPU here';

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
    }
  | { readonly kind: 'train'; readonly until: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'rate'; readonly rate: number }
  | { readonly kind: 'own'; readonly own: readonly Handwriting[] }
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
  /** Of the fixed sample. */
  | { readonly kind: 'film'; readonly steps: number; readonly reading: PenReading }
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
