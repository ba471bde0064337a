// What is seen, as files.
import { writeNpy } from 'webgpu-ctc/files';
import { segmentsOf, type TimedText } from 'webgpu-ctc/text';
import { save } from '../../shared/dom.js';
import { type Analysis, classAt } from '../engine/analysis.js';
import { toAligner } from '../engine/star.js';
import type { NameOf } from '../view/explain.js';
import type { ColourScale } from '../view/legend.js';

export const saveArray = (name: string, data: Float32Array, shape: readonly number[]): void =>
  save(name, writeNpy(data, shape), 'application/octet-stream');

export const saveText = (name: string, text: string): void => save(name, text, 'text/plain;charset=utf-8');

/** The stage between what is said about it and what its colours mean. */
export async function savePicture(
  name: string,
  stage: HTMLCanvasElement,
  ratio: number,
  said: string,
  scale: ColourScale | undefined,
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
  context.fillText(said, margin, line / 2, width);
  context.font = `${13 * ratio}px ${fontFamily}`;
  if (scale) drawScale(context, scale, { x: margin, y: canvas.height - line / 2, width, ratio });
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the picture is too large for this browser');
  save(name, blob, 'image/png');
}

/** Its name, and the ramp between what its ends stand for. */
function drawScale(
  context: CanvasRenderingContext2D,
  { name, colours, first, last }: ColourScale,
  { x, y, width, ratio }: { x: number; y: number; width: number; ratio: number },
): void {
  let at = x;
  const write = (text: string) => {
    const room = Math.min(context.measureText(text).width, 0.4 * width);
    context.fillText(text, at, y, room);
    at += room;
  };
  write(name);
  at += 16 * ratio;
  write(first);
  at += 8 * ratio;
  const length = Math.max(0, Math.min(160 * ratio, x + width - at - 80 * ratio));
  const [text, ramp] = [context.fillStyle, context.createLinearGradient(at, 0, at + length, 0)];
  for (const [i, colour] of colours.entries()) ramp.addColorStop(i / (colours.length - 1), colour);
  context.fillStyle = ramp;
  context.fillRect(at, y - 5 * ratio, length, 10 * ratio);
  Object.assign(context, { fillStyle: text, strokeStyle: text, lineWidth: ratio / 2 });
  // one end of it may have the colour of the page
  context.strokeRect(at, y - 5 * ratio, length, 10 * ratio);
  at += length + 8 * ratio;
  write(last);
}

export interface Told {
  readonly text: string;
  /** Of all of it; where only a part is shown, nobody has computed it. */
  readonly loss: number | undefined;
  readonly nameOf: NameOf;
  readonly frameSeconds: number | undefined;
  readonly timed: TimedText | undefined;
}

/** The keys of the command line's JSON where seconds are known, and the path itself. */
export function alignmentJson(
  { problem, alignment }: Pick<Analysis, 'problem' | 'alignment'>,
  { text, loss, nameOf, frameSeconds, timed }: Told,
): string {
  const { frames, blank, star } = problem;
  const classes = star ? star.c : problem.classes;
  const classOf = (s: number) => toAligner([classAt(problem, s)], problem)[0]!;
  const number = (value: number) => (Number.isFinite(value) ? value : String(value));
  const times = frameSeconds !== undefined &&
    timed && {
      ...{ duration: frames * frameSeconds, frameSeconds, segments: segmentsOf(timed.words) },
      ...{ words: timed.words, characters: timed.characters },
    };
  const path = alignment && {
    score: number(alignment.score),
    path: Array.from(alignment.states, (s, t) => ({
      ...{ frame: t, state: s, class: classOf(s), token: nameOf(classAt(problem, s)) },
      logProb: number(alignment.scores[t]!),
    })),
  };
  const json = {
    ...{ text, ...(loss !== undefined && { loss: number(loss) }), frames, classes, blank },
    ...{ targets: toAligner(problem.labels, problem), ...times, ...path },
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
