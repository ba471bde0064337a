// 2D canvases that are as sharp as the screen.

let forced: number | undefined;

/** Canvas pixels to a CSS pixel. */
export const pixelRatio = (): number => forced ?? devicePixelRatio;

/** Whatever is drawn meanwhile has so many pixels to a CSS pixel. */
export function atRatio<R>(ratio: number, draw: () => R): R {
  forced = ratio;
  try {
    return draw();
  } finally {
    forced = undefined;
  }
}

/** In canvas pixels. */
export function resize(canvas: HTMLCanvasElement, width: number, height: number): void {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}

/** Clears a canvas of the size that it is shown at; drawing is in CSS pixels. */
export function begin(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const ratio = pixelRatio();
  const { clientWidth, clientHeight } = canvas;
  resize(canvas, Math.round(clientWidth * ratio), Math.round(clientHeight * ratio));
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, clientWidth, clientHeight);
  return context;
}

/**
 * Draws in the next frame, however often that is asked for until then. What is asked for in a frame is not put off by asking again in
 * the next one, as `cancelAnimationFrame` would do.
 */
export function oncePerFrame(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

export const dark = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

/** Draws whenever the size of an element or the theme changes, and when a GPU that crashed has wiped its canvases. */
export function keepDrawn(element: Element, draw: () => void): void {
  new ResizeObserver(draw).observe(element);
  // these events do not bubble
  element.addEventListener('contextrestored', draw, true);
  dark().addEventListener('change', draw);
}

/** Colours of the style sheet, by name. */
export function palette(): (name: string) => string {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

/** The least of 1, 2, 5, 10, 20, … that is as large. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least)!;
}
