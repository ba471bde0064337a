// What the network takes: a line of text, 48 pixels high.

/** Pixels of its height, and those of its width that are a frame. */
export const [lineHeight, frameWidth] = [48, 8];

export interface LineInput {
  /** [1, 3, 48, width], from −1 to 1. */
  readonly data: Float32Array<ArrayBuffer>;
  readonly width: number;
  /** Those that are of the line. What follows is padding. */
  readonly frames: number;
}
