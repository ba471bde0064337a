import { kindOf } from '../problem/check.js';
import { wrongKind } from '../problem/errors.js';
import { joined } from './compact.js';

/** A `ReadableStream` of bytes, as the body of a `Response` is one; in a program without the DOM library, too. */
export interface ByteStream {
  readonly locked: boolean;
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** What a model is read from; what has a `stream` is a `Blob` or a `File`. */
export type NGramSource = string | Uint8Array | ArrayBuffer | ByteStream | { stream(): ByteStream };

export type Chunks = AsyncGenerator<Uint8Array, void>;

/** A browser inflates a whole chunk before the first read returns. */
const pieceBytes = 65_536;

/** The bytes of a source, unpacked if they are gzip's, in small pieces. */
export async function unpacked(source: NGramSource): Promise<Chunks> {
  const [head, chunks] = await peek(bytesOf(source), 2);
  return head[0] === 0x1f && head[1] === 0x8b ? gunzip(chunks) : chunks;
}

/** The first bytes, as many as these or all there are, and all of them. */
export async function peek(chunks: Chunks, count: number): Promise<[head: Uint8Array, all: Chunks]> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < count) {
    const { done, value } = await chunks.next();
    if (done) break;
    head = joined([head, value]);
  }
  async function* all(): Chunks {
    try {
      yield head;
      yield* chunks;
    } finally {
      await chunks.return();
    }
  }
  return [head, all()];
}

function bytesOf(source: NGramSource): Chunks {
  if (typeof source === 'string') return piecesOf(new TextEncoder().encode(source));
  const kind = kindOf(source);
  if (kind === 'Uint8Array') return piecesOf(source as Uint8Array);
  if (kind === 'ArrayBuffer') return piecesOf(new Uint8Array(source as ArrayBuffer));
  if (kind === 'Blob' || kind === 'File') return piecesFrom((source as Blob).stream());
  const stream = source as ByteStream;
  if (kind !== 'ReadableStream' || typeof stream.getReader !== 'function')
    throw wrongKind('source', 'text, a Uint8Array, an ArrayBuffer, a Blob or a ReadableStream', source);
  if (stream.locked) throw wrongKind('source', 'a stream that nobody else reads', stream);
  return piecesFrom(stream);
}

async function* piecesOf(bytes: Uint8Array): Chunks {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function* piecesFrom(stream: ByteStream): Chunks {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (kindOf(value) !== 'Uint8Array')
        throw wrongKind('source', 'a stream whose chunks are Uint8Arrays', value);
      yield* piecesOf(value!);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** An error of what is read from, with the line of the file at which it came. */
export function located(error: unknown, line: number): unknown {
  if (error instanceof RangeError)
    error.message = error.message.replace(/^source: (?=expected gzip)/, `source: line ${line}: `);
  return error;
}

async function* gunzip(chunks: Chunks): Chunks {
  let failure: unknown;
  const packed = new ReadableStream<BufferSource>({
    async pull(controller) {
      const next = await chunks.next().catch((error) => {
        failure = error;
        throw error;
      });
      if (next.done) controller.close();
      else controller.enqueue(new Uint8Array(next.value));
    },
    cancel: async () => void (await chunks.return()),
  });
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        if (failure !== undefined) throw failure;
        const got = `some that does not unpack beyond byte ${bytes}: ${(cause as Error).message}`;
        throw new RangeError(`source: expected gzip data, got ${got}`, { cause });
      });
      if (done) return;
      bytes += value.length;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
