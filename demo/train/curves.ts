// Numbers over the steps of a training.

import { begin, niceStep, palette } from '../canvas.js';

export interface CurveOptions {
  /** What a value is called at the left. */
  say(value: number): string;
  /** The largest value that there is room for at least. */
  readonly least: number;
  /** A value to be reached. */
  readonly goal?: number;
}

const [left, bottom] = [44, 22];

/** A curve through points of rising steps, from 0 up. `raw` is drawn pale behind it. */
export function drawCurve(
  canvas: HTMLCanvasElement,
  points: readonly { readonly steps: number; readonly value: number }[],
  raw: readonly { readonly steps: number; readonly value: number }[],
  { say, least, goal }: CurveOptions,
): void {
  const context = begin(canvas);
  const colour = palette();
  const [width, height] = [canvas.clientWidth - left - 16, canvas.clientHeight - bottom - 8];
  const last = Math.max(100, ...[...points, ...raw].map(({ steps }) => steps));
  const top = Math.max(least, ...points.map(({ value }) => value));
  const x = (steps: number) => left + (steps / last) * width;
  const y = (value: number) => 8 + (1 - Math.min(1.05, value / top)) * height;
  Object.assign(context, { font: '12px ui-sans-serif, system-ui, sans-serif', lineWidth: 1 });
  context.fillStyle = colour('quiet');
  context.strokeStyle = colour('line');
  for (const share of [0, 0.5, 1]) {
    const at = Math.round(y(share * top)) + 0.5;
    line(context, [
      [left, at],
      [left + width, at],
    ]);
    Object.assign(context, { textAlign: 'right', textBaseline: 'middle' });
    context.fillText(say(share * top), left - 8, at);
  }
  Object.assign(context, { textAlign: 'center', textBaseline: 'top' });
  const every = niceStep(last / 4);
  for (let steps = 0; steps <= last; steps += every) context.fillText(String(steps), x(steps), height + 14);
  if (goal !== undefined) {
    context.setLineDash([4, 4]);
    context.strokeStyle = colour('edge');
    line(context, [
      [left, y(goal)],
      [left + width, y(goal)],
    ]);
    context.setLineDash([]);
  }
  Object.assign(context, { strokeStyle: colour('label'), lineJoin: 'round' });
  Object.assign(context, { lineWidth: 1, globalAlpha: 0.35 });
  line(
    context,
    raw.map(({ steps, value }) => [x(steps), y(value)]),
  );
  Object.assign(context, { lineWidth: 2.5, globalAlpha: 1 });
  line(
    context,
    points.map(({ steps, value }) => [x(steps), y(value)]),
  );
}

function line(context: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]) {
  context.beginPath();
  for (const [i, [x, y]] of points.entries()) i === 0 ? context.moveTo(x, y) : context.lineTo(x, y);
  context.stroke();
}
