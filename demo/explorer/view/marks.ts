// What lies on top of the cells: paths, the selected state and what flows into it, the moving head.

import { begin, palette } from '../../shared/canvas.js';
import type { Analysis, Cell } from '../engine/analysis.js';
import type { Viewport } from './viewport.js';
import { scaleTo } from './viewport.js';

export interface Marks {
  readonly bestPath: boolean;
  readonly samples: readonly Int32Array[];
  /** Paths to choose from, and the one that is chosen. */
  readonly lines: readonly Int32Array[];
  readonly chosen: Int32Array | undefined;
  /** The line under the pointer. */
  readonly pointed: Int32Array | undefined;
  readonly selected: Cell | undefined;
  readonly hovered: Cell | undefined;
  /** Shares of what flows into the selected state from the frame before. */
  readonly incoming: readonly { readonly from: Cell; readonly share: number }[];
  /** Of the sweep, in frames. */
  readonly head: number | undefined;
}

export function drawMarks(
  canvas: HTMLCanvasElement,
  { frames, states }: Viewport,
  analysis: Analysis,
  { bestPath, samples, lines, chosen, pointed, selected, hovered, incoming, head }: Marks,
): void {
  const context = begin(canvas);
  const colour = palette();
  const x = scaleTo(frames, canvas.clientWidth);
  const y = scaleTo(states, canvas.clientHeight);
  const [width, height] = [x(1) - x(0), y(1) - y(0)];
  const [first, end] = [Math.max(0, Math.floor(frames.first) - 1), Math.ceil(frames.end) + 1];

  const line = (path: Int32Array, shift: number, last = path.length) => {
    context.beginPath();
    for (let t = first; t < Math.min(end, last); t++) context.lineTo(x(t + 0.5), y(path[t]! + 0.5) + shift);
    context.stroke();
  };

  context.lineJoin = 'round';
  context.lineCap = 'round';
  // below the paths, which stay visible in its middle
  if (selected) {
    for (const { from, share } of incoming) {
      if (!(share > 0) || width < 14) continue;
      context.beginPath();
      context.moveTo(x(from.t + 0.5), y(from.s + 0.5));
      context.lineTo(x(selected.t + 0.5), y(selected.s + 0.5));
      context.strokeStyle = colour('card');
      context.lineWidth = 4 + 4 * share;
      context.stroke();
      context.strokeStyle = colour('text');
      context.lineWidth = 1.5 + 4 * share;
      context.stroke();
    }
  }

  context.strokeStyle = colour('path');
  for (const paths of [samples, lines]) {
    paths.forEach((path, k) => {
      if (path === chosen) return;
      context.globalAlpha = path === pointed ? 1 : 0.35;
      context.lineWidth = path === pointed ? 3 : 1.5;
      // side by side where they agree
      line(path, ((k - (paths.length - 1) / 2) / Math.max(1, paths.length)) * height * 0.6);
    });
  }
  context.globalAlpha = 1;

  const path = chosen ?? (bestPath ? analysis.alignment?.states : undefined);
  const last = chosen && head !== undefined ? Math.floor(head) + 1 : undefined;
  if (path) {
    const thick = Math.min(3, Math.max(1.5, height / 8));
    context.strokeStyle = colour('card');
    context.lineWidth = thick + 3;
    line(path, 0, last);
    context.strokeStyle = colour('path');
    context.lineWidth = path === pointed ? thick + 2 : thick;
    line(path, 0, last);
    if (width >= 14 && height >= 8) {
      context.fillStyle = colour('path');
      for (let t = first; t < Math.min(end, last ?? path.length); t++) {
        context.beginPath();
        context.arc(x(t + 0.5), y(path[t]! + 0.5), thick + 1.5, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }

  const frame = ({ t, s }: Cell, thick: number, dash: number[]) => {
    const [w, h] = [Math.max(width, 8), Math.max(height, 8)];
    context.setLineDash(dash);
    context.beginPath();
    context.roundRect(x(t + 0.5) - w / 2, y(s + 0.5) - h / 2, w, h, Math.min(6, w / 4, h / 4));
    context.strokeStyle = colour('card');
    context.lineWidth = thick + 2;
    context.stroke();
    context.strokeStyle = colour('text');
    context.lineWidth = thick;
    context.stroke();
    context.setLineDash([]);
  };
  if (hovered) frame(hovered, 1.5, [4, 3]);
  if (selected) frame(selected, 2.5, []);

  if (head !== undefined) {
    context.fillStyle = colour('path');
    context.fillRect(x(head) - 1, 0, 2, canvas.clientHeight);
  }
}
