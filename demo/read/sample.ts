// A picture of a text, for who has none at hand.

/** CSS pixels of its letters, and around them. */
const [size, margin] = [52, 24];

/** The text in a font that this machine has, black on white. */
export function sampleOf(text: string, font: string): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d')!;
  const style = `${size}px ${font}`;
  context.font = style;
  const { width, fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } = context.measureText(text);
  Object.assign(canvas, {
    width: Math.ceil(width) + 2 * margin,
    height: Math.ceil(above + below) + 2 * margin,
  });
  context.fillStyle = 'white';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = '#222';
  // a canvas of another size has forgotten it
  context.font = style;
  context.fillText(text, margin, margin + above);
  return canvas;
}
