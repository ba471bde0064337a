// Files of the page's own, with a count of what has come.

export interface Progress {
  /** Bytes that have come. */
  readonly bytes: number;
  /** Of all of them, where the server says it. */
  readonly total: number | undefined;
}

/** @throws Error naming the URL and the status that came instead of the file. */
export async function download(
  url: string,
  { signal, counted }: { signal?: AbortSignal; counted?: (progress: Progress) => void } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, signal ? { signal } : {});
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  // what is compressed on the way is longer than the server says
  const isPlain = !response.headers.get('content-encoding');
  const total = isPlain ? Number(response.headers.get('content-length')) || undefined : undefined;
  let bytes = 0;
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length;
      counted?.({ bytes, total });
      controller.enqueue(chunk);
    },
  });
  return new Uint8Array(await new Response(response.body!.pipeThrough(counting)).arrayBuffer());
}

/** `12 of 26 kB`, or what has come where nobody knows how much there is. */
export function sayBytes({ bytes, total }: Progress): string {
  const [unit, size] = (total ?? bytes) >= 1e6 ? (['MB', 1e6] as const) : (['kB', 1e3] as const);
  const said = (count: number) => (count / size).toFixed(unit === 'MB' ? 1 : 0);
  return total ? `${said(bytes)} of ${said(total)} ${unit}` : `${said(bytes)} ${unit}`;
}
