export interface Lattice {
  /** Probabilities, one row of `stride` states for each frame. */
  readonly posterior: Float64Array;
  readonly stride: number;
  readonly frames: number;
  readonly transcript: string;
}

const left = 28;
const bottom = 24;

/** Frames across, states down: a blank before, between and after the letters. */
export function drawLattice(
  canvas: HTMLCanvasElement,
  { posterior, stride, frames, transcript }: Lattice,
): void {
  const states = 2 * transcript.length + 1;
  const { colorLabel, colorBlank, colorLine, colorText } = coloursOf(canvas);
  const rowHeight = Math.min(24, Math.max(14, 260 / states));
  const width = canvas.clientWidth;
  const height = Math.round(states * rowHeight) + bottom;
  const scale = devicePixelRatio;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d')!;
  context.scale(scale, scale);
  context.font = '14px ui-sans-serif, system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const columnWidth = (width - left) / frames;

  for (let state = 0; state < states; state++) {
    const isLabel = state % 2 === 1;
    const top = state * rowHeight;
    context.fillStyle = colorLine;
    context.fillRect(left, top + rowHeight - 1, width - left, 1);
    context.fillStyle = colorText;
    context.fillText(isLabel ? transcript[(state - 1) / 2]! : '–', left / 2, top + rowHeight / 2);
    context.fillStyle = isLabel ? colorLabel : colorBlank;
    for (let t = 0; t < frames; t++) {
      context.globalAlpha = posterior[t * stride + state]! || 0;
      context.fillRect(left + t * columnWidth, top, Math.max(1, columnWidth - 1), rowHeight - 1);
    }
    context.globalAlpha = 1;
  }

  context.fillStyle = colorText;
  const y = height - bottom / 2 + 2;
  for (let t = 0; t < frames - 4; t += 10) {
    context.fillText(String(t), left + (t + 0.5) * columnWidth, y);
  }
  context.textAlign = 'right';
  context.fillText('frames', width, y);
}

/** The same for those who do not see it: where each letter is likeliest. */
export function describeLattice({ posterior, stride, frames, transcript }: Lattice): string {
  const places = [...transcript].map((letter, i) => {
    let best = 0;
    for (let t = 1; t < frames; t++) {
      if (posterior[t * stride + 2 * i + 1]! > posterior[best * stride + 2 * i + 1]!) best = t;
    }
    return `${letter} at frame ${best}`;
  });
  return `Posterior lattice over ${frames} frames: ${places.join(', ') || 'blanks only'}`;
}

function coloursOf(element: Element) {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    colorLabel: colour('--label'),
    colorBlank: colour('--blank'),
    colorLine: colour('--line'),
    colorText: colour('--quiet'),
  };
}
