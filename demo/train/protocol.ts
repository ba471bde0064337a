// What the page and its worker tell each other.

import type { Stroke } from './glyphs.js';
import type { Handwriting } from './writer.js';

export interface TrainerSettings {
  /** Of the first weights and of what is written; the same seed learns the same. */
  readonly seed: number;
  /** Strings in a step. */
  readonly batch: number;
  readonly rate: number;
}

export const defaults: TrainerSettings = { seed: 1, batch: 16, rate: 0.008 };

/** What was read, and when: frames of the output are of equal length along the pen's way. */
export interface PenReading {
  readonly text: string;
  /** Posteriors [frames, classes]: the softmax. */
  readonly posteriors: Float32Array<ArrayBuffer>;
  readonly frames: number;
}

export type Asked =
  /** Once: a trainer, new or from saved weights. `device`: as `wasm`, WebGPU is left alone; as `again`, it is waited for. */
  | {
      readonly kind: 'open';
      readonly settings: TrainerSettings;
      readonly saved?: { readonly bytes: Uint8Array; readonly name: string };
      readonly device: 'any' | 'again' | 'wasm';
      readonly own: readonly Handwriting[];
    }
  | { readonly kind: 'train'; readonly until: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'rate'; readonly rate: number }
  | { readonly kind: 'own'; readonly own: readonly Handwriting[] }
  | { readonly kind: 'read'; readonly id: number; readonly strokes: readonly Stroke[] }
  | { readonly kind: 'save'; readonly id: number };

/** Share of wrong digits in fresh strings, and after how many steps it was measured. */
export interface ErrorRate {
  readonly steps: number;
  readonly rate: number;
}

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
  | { readonly kind: 'saved'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'lost' }
  | { readonly kind: 'failed'; readonly message: string };
