// The worker's side of a model: it comes with the first question, is opened once, and answers until the page ends it.

import { download } from './download.js';

type Bytes = Uint8Array<ArrayBuffer>;

/** What the page is told. */
export type Told<Answer> =
  /** Of all that is downloaded. */
  | { readonly kind: 'loading'; readonly bytes: number }
  | { readonly kind: 'running' }
  | { readonly kind: 'done'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly message: string };

/** What a question is answered with; `transfer` goes to the page without a copy. */
export interface Answered<Answer> {
  readonly answer: Answer;
  readonly transfer?: Transferable[];
}

/** @param open Makes of the files, in the order of `urls`, what answers a question. */
export function serve<Question, Answer>(
  urls: readonly string[],
  open: (files: readonly Bytes[]) => Promise<(question: Question) => Promise<Answered<Answer>>>,
): void {
  const tell = (told: Told<Answer>, transfer: Transferable[] = []) => self.postMessage(told, { transfer });
  let opened: ReturnType<typeof open> | undefined;
  self.onmessage = async ({ data: question }: MessageEvent<Question>) => {
    try {
      opened ??= downloadAll(urls, (bytes) => tell({ kind: 'loading', bytes })).then(open);
      // what failed is tried again
      opened.catch(() => {
        opened = undefined;
      });
      const answerTo = await opened;
      tell({ kind: 'running' });
      const { answer, transfer } = await answerTo(question);
      tell({ kind: 'done', answer }, transfer);
    } catch (error) {
      tell({ kind: 'failed', message: (error as Error).message });
    }
  };
}

/** `told`: how many bytes of all of them have come. */
function downloadAll(urls: readonly string[], told: (bytes: number) => void): Promise<Bytes[]> {
  const parts = urls.map(() => 0);
  return Promise.all(
    urls.map((url, i) =>
      download(url, {
        counted({ bytes }) {
          parts[i] = bytes;
          told(parts.reduce((sum, part) => sum + part, 0));
        },
      }),
    ),
  );
}
