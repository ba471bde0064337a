// A film as a video, a few seconds long.

/** What the browser writes; none where it writes no WebM. */
const videoType = () =>
  typeof MediaRecorder === 'undefined' || !('captureStream' in HTMLCanvasElement.prototype)
    ? undefined
    : ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'].find((type) =>
        MediaRecorder.isTypeSupported(type),
      );

export const canRecord = (): boolean => videoType() !== undefined;

export interface Shot {
  draw(): void;
  /** For how long it is seen. */
  readonly milliseconds: number;
}

/** Draws one shot after the other and gives the video of the canvas. It takes as long as it lasts. */
export async function record(
  canvas: HTMLCanvasElement,
  shots: readonly Shot[],
  signal: AbortSignal,
): Promise<Blob> {
  const stream = canvas.captureStream();
  const recorder = new MediaRecorder(stream, { mimeType: videoType()!, videoBitsPerSecond: 2_500_000 });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise<void>((resolve, reject) => {
    recorder.onstop = () => resolve();
    recorder.onerror = () => reject(new Error('the browser could not write the video'));
  });
  shots[0]?.draw();
  recorder.start();
  try {
    for (const { draw, milliseconds } of shots) {
      signal.throwIfAborted();
      draw();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
    }
    signal.throwIfAborted();
  } finally {
    if (recorder.state !== 'inactive') recorder.stop();
    await ended;
    for (const track of stream.getTracks()) track.stop();
  }
  return new Blob(parts, { type: 'video/webm' });
}
