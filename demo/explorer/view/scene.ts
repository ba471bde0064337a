import { pixelRatio } from '../../shared/canvas.js';
import type { Layer } from '../../shared/layers.js';
import { type Analysis, statesOf } from '../engine/analysis.js';
import type { Position } from './player.js';

/** What is known of a layer while a sweep is under way. */
export interface Sweep extends Position {
  /**
   * What the sweep forwards makes, where one backwards follows it and makes the layer. Without it the layer itself is made
   * in one sweep, and frames that are not reached show nothing.
   */
  readonly first?: Layer;
}

/** Of the path mass of each class between this text and another: what the rows above the lattice show in place of the scores. */
export interface Difference {
  /** Of which analysis. */
  readonly version: number;
  /** [frames, classes], from −1 to 1. */
  readonly values: Float32Array;
  /** Classes of the other text. */
  readonly labels: readonly number[];
}

/** What a renderer is to show. */
export interface Scene {
  readonly analysis: Analysis;
  readonly layer: Layer;
  /** Probabilities by their logarithm down to a floor, or as they are. */
  readonly scale: 'log' | 'linear';
  /** A sweep that is under way. */
  readonly sweep?: Sweep | undefined;
  /** A label whose frames stand out, the others pale. */
  readonly highlight?: number;
  readonly difference?: Difference;
  /** What the change is beside, where that is not the scores before they were edited. */
  readonly against?: string;
  readonly theme: 'light' | 'dark';
}

/** Which part of the lattice is on the canvas: frames from left to right, states from top to bottom, as fractions of cells. */
export interface View {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Of the canvas, in device pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels to a CSS pixel. */
  readonly ratio: number;
}

export interface Renderer {
  draw(scene: Scene, view: View): void;
  /** The whole lattice, small; the part of `view` is marked by who calls. */
  drawMap(canvas: HTMLCanvasElement, scene: Scene): void;
  destroy(): void;
}

/** All of a lattice, on a canvas of the size that it is shown at. */
export function wholeView(canvas: HTMLCanvasElement, { analysis: { problem } }: Scene): View {
  const ratio = pixelRatio();
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  return { left: 0, right: problem.frames, top: 0, bottom: statesOf(problem), width, height, ratio };
}
