// What the visitor did to the emissions. The scores that came in stay as they are.

/** One probability for a class over a band of frames. */
export interface Stroke {
  readonly c: number;
  readonly first: number;
  readonly end: number;
  readonly p: number;
}

export interface Edits {
  /** Added to the logit of the blank. */
  readonly bias: number;
  /** Logits are divided by it. */
  readonly temperature: number;
  readonly strokes: readonly Stroke[];
}

/** From where to where each can be set, by hand or by a link. */
export const editLimits = {
  bias: { min: -6, max: 6 },
  temperature: { min: 0.2, max: 5 },
  p: { min: 0.01, max: 0.99 },
} as const;

export const noEdits: Edits = { bias: 0, temperature: 1, strokes: [] };

/** Of strokes what lies within the emissions: a link, or emissions that were looked at before, may have had more. */
export function within(edits: Edits, frames: number, classes: number): Edits {
  const { strokes } = edits;
  if (strokes.every(({ c, end }) => c < classes && end <= frames)) return edits;
  const kept = strokes.filter(({ c, first }) => c < classes && first < frames);
  return { ...edits, strokes: kept.map((stroke) => ({ ...stroke, end: Math.min(stroke.end, frames) })) };
}

/** Logits with the edits in them. A painted class gets its probability, the others of the frame share what is left as before. */
export function applyEdits(
  logits: Float32Array<ArrayBuffer>,
  classes: number,
  blank: number,
  edits: Edits,
): Float32Array<ArrayBuffer> {
  const { bias, temperature } = edits;
  const edited = logits.map((x) => x / temperature);
  for (let at = blank; at < edited.length; at += classes) edited[at]! += bias;
  const { strokes } = within(edits, edited.length / classes, classes);
  for (const { c, first, end, p } of strokes) {
    for (let t = first; t < end; t++) {
      const row = edited.subarray(t * classes, (t + 1) * classes);
      const others = row.reduce((sum, x, k) => (k === c ? sum : sum + Math.exp(x - row[c]!)), 0);
      row[c]! += Math.log(p / (1 - p)) + Math.log(others);
    }
  }
  return edited;
}
