/**
 * The text of a file: UTF-8 with or without a byte order mark, or UTF-16 with one. In another encoding the letters would be others, or none,
 * and nobody would hear of it.
 *
 * @throws RangeError naming the first byte that is not of the encoding.
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const encoding = { fffe: 'utf-16le', feff: 'utf-16be' }[hex(bytes.subarray(0, 2))] ?? 'utf-8';
  const decodes = (end: number, stream: boolean) => {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes.subarray(0, end), { stream });
    } catch {
      return undefined;
    }
  };
  const text = decodes(bytes.length, false);
  if (text !== undefined) return text;
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decodes(middle, true) === undefined) bad = middle;
    else good = middle;
  }
  // a letter of several bytes is wrong from its first on
  let whole = bad - 1;
  while (whole > 0 && decodes(whole, false) === undefined) whole--;
  const [byte] = bytes.subarray(whole, whole + 1);
  const got = byte === undefined ? 'a text that is cut off' : `0x${hex([byte])} at byte ${whole}`;
  throw new RangeError(`${name}: expected text in UTF-8, or in UTF-16 with a byte order mark, got ${got}`);
}

const hex = (bytes: Iterable<number>) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
