// What is seen, as files.
import { writeNpy } from 'webgpu-ctc/files';
import { segmentsOf, type TimedText } from 'webgpu-ctc/text';
import { save } from '../shared/dom.js';
import { type Analysis, classAt } from './engine/analysis.js';
import type { NameOf } from './view/explain.js';

export const saveArray = (name: string, data: Float32Array, shape: readonly number[]): void =>
  save(name, writeNpy(data, shape), 'application/octet-stream');

export const saveText = (name: string, text: string): void => save(name, text, 'text/plain;charset=utf-8');

/** The stage between what is said about it and what its colours mean. */
export async function savePicture(
  name: string,
  stage: HTMLCanvasElement,
  ratio: number,
  lines: { readonly above: string; readonly below: string },
): Promise<void> {
  const { backgroundColor, color, fontFamily } = getComputedStyle(document.documentElement);
  const margin = 12 * ratio;
  const line = 32 * ratio;
  const canvas = document.createElement('canvas');
  canvas.width = stage.width + 2 * margin;
  canvas.height = stage.height + 2 * line;
  const context = canvas.getContext('2d')!;
  context.fillStyle = backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(stage, margin, line);
  context.fillStyle = color;
  context.textBaseline = 'middle';
  const width = canvas.width - 2 * margin;
  context.font = `${15 * ratio}px ${fontFamily}`;
  context.fillText(lines.above, margin, line / 2, width);
  context.font = `${13 * ratio}px ${fontFamily}`;
  context.fillText(lines.below, margin, canvas.height - line / 2, width);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the picture is too large for this browser');
  save(name, blob, 'image/png');
}

export interface Told {
  readonly text: string;
  readonly nameOf: NameOf;
  readonly frameSeconds: number | undefined;
  readonly timed: TimedText | undefined;
}

/** The keys of the command line's JSON where seconds are known, and the path itself. */
export function alignmentJson(analysis: Analysis, { text, nameOf, frameSeconds, timed }: Told): string {
  const { problem, loss, alignment } = analysis;
  const { frames, classes, blank, labels } = problem;
  const number = (value: number) => (Number.isFinite(value) ? value : String(value));
  const times = frameSeconds !== undefined &&
    timed && {
      ...{ duration: frames * frameSeconds, frameSeconds, segments: segmentsOf(timed.words) },
      ...{ words: timed.words, characters: timed.characters },
    };
  const path = alignment && {
    score: number(alignment.score),
    path: Array.from(alignment.states, (s, t) => ({
      ...{ frame: t, state: s, class: classAt(problem, s), token: nameOf(classAt(problem, s)) },
      logProb: number(alignment.scores[t]!),
    })),
  };
  const json = { text, loss: number(loss), frames, classes, blank, targets: labels, ...times, ...path };
  return `${JSON.stringify(json, null, 2)}\n`;
}
