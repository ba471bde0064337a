// Numbers over the steps of a training.

import { begin, niceStep, palette } from '../shared/canvas.js';

export interface Measured {
  readonly steps: number;
  readonly value: number;
}

export interface CurveOptions {
  /** What a value is called at the left. */
  say(value: number): string;
  /** The largest value that there is room for at least. */
  readonly least: number;
}

const [left, bottom] = [44, 22];

/** A curve through points of rising steps, from 0 up. `raw` is drawn pale behind it. */
export function drawCurve(
  canvas: HTMLCanvasElement,
  points: readonly Measured[],
  raw: readonly Measured[],
  { say, least }: CurveOptions,
): void {
  const context = begin(canvas);
  const colour = palette();
  const [width, height] = [canvas.clientWidth - left - 16, canvas.clientHeight - bottom - 8];
  const end = (of: readonly Measured[]) => of[of.length - 1]?.steps ?? 0;
  const last = Math.max(100, end(points), end(raw));
  const top = points.reduce((most, { value }) => Math.max(most, value), least);
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
