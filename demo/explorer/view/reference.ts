// Words of a reference over the numbers of the frames: a bracket each.
import { palette } from '../../shared/canvas.js';
import { frameOf, type Problem } from '../engine/analysis.js';
import type { Reference } from '../sources/source.js';
import { type Span, scaleTo } from './viewport.js';

/** On an axis that is drawn. */
export function drawReference(
  canvas: HTMLCanvasElement,
  frames: Span,
  problem: Problem,
  { words }: Reference,
  frameSeconds: number,
): void {
  const context = canvas.getContext('2d')!;
  const scale = scaleTo(frames, canvas.clientWidth);
  const x = (seconds: number) => scale(seconds / frameSeconds - frameOf(problem, 0));
  context.strokeStyle = palette()('other');
  context.lineWidth = 1.5;
  context.beginPath();
  let left = 0;
  for (const { start, end } of words) {
    // of a cue of several words the first has its start, the last its end
    if (start !== undefined) left = x(start);
    if (end === undefined) continue;
    const right = Math.max(left + 1, x(end) - 1);
    if (right < 0 || left > canvas.clientWidth) continue;
    context.moveTo(left, 5);
    context.lineTo(left, 1);
    context.lineTo(right, 1);
    context.lineTo(right, 5);
  }
  context.stroke();
}
