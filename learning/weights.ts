// Tensors as a .safetensors file, which webgpu-ctc/files reads.

export interface SavedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** https://github.com/huggingface/safetensors: the length of a header, the header as JSON, the numbers. */
export function writeSafetensors(tensors: Readonly<Record<string, SavedTensor>>): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  // so that the numbers begin at a multiple of 8 bytes
  const header = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const bytes = new Uint8Array(8 + header.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
