import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { parseText, renderVTTCueString } from 'media-captions';
import { describe, expect, test, vi } from 'vitest';
import { writeCtm } from '../src/files/ctm.js';
import { emissionsOf, scoreKindOf, scoreKinds } from '../src/files/emissions.js';
import { timedTextFormat, timedTextFormats, writeTimedText } from '../src/files/formats.js';
import { readNpy, writeNpy } from '../src/files/npy.js';
import { readNpz } from '../src/files/npz.js';
import { readSafetensors } from '../src/files/safetensors.js';
import { writeSrt, writeVtt } from '../src/files/subtitles.js';
import { findInvalidScore, integersOf, scoresOf } from '../src/files/tensor.js';
import { readTensor, readTensors } from '../src/files/tensors.js';
import { writeTextGrid } from '../src/files/textgrid.js';
import type { TimedWord } from '../src/files/timed.js';
import { readZip } from '../src/files/zip.js';

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../fixtures/speech/${name}`, import.meta.url)));
const utf8 = (text: string) => new TextEncoder().encode(text);
const join = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.concat(parts));

/** The bytes of numbers, written one by one with a method of DataView's. */
function packed(
  numbers: readonly (number | bigint)[],
  bytes: number,
  method: string,
  little = true,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(numbers.length * bytes));
  const set = Reflect.get(view, `set${method}`);
  numbers.forEach((value, i) => {
    set.call(view, i * bytes, value, little);
  });
  return new Uint8Array(view.buffer);
}
const floats = (...numbers: number[]) => packed(numbers, 4, 'Float32');
const u16 = (value: number) => packed([value], 2, 'Uint16');
const u32 = (value: number) => packed([value], 4, 'Uint32');
const u64 = (value: number) => packed([BigInt(value)], 8, 'BigUint64');

/** A .npy file of a header as Python writes it. */
function npy(
  descr: string,
  shape: string,
  data: Uint8Array,
  { fortran = 'False', version = 1 } = {},
): Uint8Array<ArrayBuffer> {
  return npyOf(`{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`, data, version);
}
const npyOf = (header: string, data: Uint8Array, version = 1) =>
  join(
    Uint8Array.of(0x93, ...utf8('NUMPY'), version, 0),
    version === 1 ? u16(header.length) : u32(header.length),
    utf8(header),
    data,
  );

const decoded = (code: string, values: readonly (number | bigint)[]) =>
  code[0] === 'f' ? Float32Array.from(values, Number) : Int32Array.from(values, Number);

describe('.npy', () => {
  test('a file that NumPy wrote, in Fortran order', () => {
    const { data, shape, dtype, name } = readNpy(fixture('clip1.logits.npy'), 'clip1.logits.npy');
    expect({ shape, dtype, name }).toEqual({ shape: [382, 29], dtype: '<f4', name: 'clip1.logits.npy' });
    const stored = new Float32Array(Uint8Array.from(fixture('clip1.logits.npy')).buffer, 128);
    expect(data).toEqual(stored.map((_, i) => stored[(i % 29) * 382 + Math.floor(i / 29)])); // column by column
  });

  const kinds: [code: string, bytes: number, method: string, values: (number | bigint)[]][] = [
    ['f4', 4, 'Float32', [1.5, -0, Infinity, -Infinity, NaN, 2 ** -149]],
    ['f8', 8, 'Float64', [1.5, -0, Infinity, -Infinity, NaN, 2 ** -149]],
    ['i1', 1, 'Int8', [0, 1, -1, 127, -128, 5]],
    ['u1', 1, 'Uint8', [0, 1, 255, 127, 128, 5]],
    ['i2', 2, 'Int16', [0, 1, -1, 32767, -32768, 258]],
    ['u2', 2, 'Uint16', [0, 1, 65535, 32767, 32768, 258]],
    ['i4', 4, 'Int32', [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 16909060]],
    ['u4', 4, 'Uint32', [0, 1, 2, 2 ** 31 - 1, 65536, 16909060]],
    ['i8', 8, 'BigInt64', [0n, 1n, -1n, 2n ** 31n - 1n, -(2n ** 31n), 16909060n]],
    ['u8', 8, 'BigUint64', [0n, 1n, 2n, 2n ** 31n - 1n, 65536n, 16909060n]],
  ];
  describe.each(kinds)('%s', (code, bytes, method, values) => {
    test.each(bytes === 1 ? ['|'] : ['<', '>'])('%s', (order) => {
      const file = npy(`'${order}${code}'`, '(2, 3)', packed(values, bytes, method, order !== '>'));
      const { data, shape } = readNpy(file, 'a.npy');
      expect(data).toEqual(decoded(code, values));
      expect(shape).toEqual([2, 3]);
    });
  });

  test('float64 beyond what float32 holds: probabilities near 0 keep their logarithms, what is finite stays finite', () => {
    const values = [1 - 1e-50, 1e-50, 0, 1, 1e-40, 1 - 1e-40];
    const file = (...numbers: number[]) =>
      npy("'<f8'", `(${numbers.length / 2}, 2)`, packed(numbers, 8, 'Float64', true));
    const tensor = readNpy(file(...values), 'p.npy');
    expect(tensor.data).toEqual(Float32Array.from(values));
    expect(tensor.exact).toEqual(Float64Array.from(values));
    expect(emissionsOf(tensor)).toMatchObject({ kind: 'probs', data: Float32Array.from(values, Math.log) });
    expect(() => emissionsOf(readNpy(file(1, -1e-50), 'p.npy'), { kind: 'probs' })).toThrow(
      'p.npy: [0, 1]: expected a probability, got -1e-50',
    );
    const far = readNpy(file(-Number.MAX_VALUE, Number.MAX_VALUE, Infinity, 0.1), 'p.npy');
    const largest = Math.fround(3.4028234663852886e38);
    expect(far.data).toEqual(Float32Array.of(-largest, largest, Infinity, 0.1));
    expect(far).not.toHaveProperty('exact');
  });

  test('float16 and bool', () => {
    const halves = packed([0x3c00, 0xbc00, 0x7bff, 0x0001, 0x8000, 0xfc00, 0x7e00], 2, 'Uint16', false);
    expect(readNpy(npy("'>f2'", '(7,)', halves), 'a').data).toEqual(
      Float32Array.of(1, -1, 65504, 2 ** -24, -0, -Infinity, NaN),
    );
    expect(readNpy(npy("'|b1'", '(3,)', Uint8Array.of(0, 1, 1)), 'a').data).toEqual(Int32Array.of(0, 1, 1));
  });

  test('formats 2.0 and 3.0, keys in any order, double quotes', () => {
    const header = '{"shape":(2,), "fortran_order":False,\t"descr":"<f4"}\n';
    for (const version of [1, 2, 3])
      expect(readNpy(npyOf(header, floats(1, 2), version), 'a').data).toEqual(Float32Array.of(1, 2));
  });

  test('Fortran order becomes C order', () => {
    const file = npy("'<f4'", '(2, 3)', floats(1, 4, 2, 5, 3, 6), { fortran: 'True' });
    expect(readNpy(file, 'a').data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  test('no axes, and no elements', () => {
    expect(readNpy(npy("'<f4'", '()', floats(7)), 'a')).toMatchObject({
      shape: [],
      data: Float32Array.of(7),
    });
    expect(readNpy(npy("'<f4'", '(3, 0)', floats()), 'a')).toMatchObject({
      shape: [3, 0],
      data: new Float32Array(),
    });
  });

  test('what was written is read, whatever the order of bytes and axes', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 });
    const methods = { f4: 'Float32', f8: 'Float64', i2: 'Int16', i4: 'Int32', i8: 'BigInt64' } as const;
    const codes = fc.constantFrom(...(Object.keys(methods) as (keyof typeof methods)[]));
    fc.assert(
      fc.property(shapes, codes, fc.boolean(), fc.boolean(), fc.nat(), (shape, code, big, fortran, seed) => {
        const count = shape.reduce((product, size) => product * size, 1);
        const numbers = Array.from({ length: count }, (_, i) => (((seed + i) * 7919) % 65_521) - 32_760);
        const data = decoded(code, numbers);
        const order = Array.from(data.keys());
        // of an index, the axes in reverse: that is what Fortran sorts by
        const key = (i: number) =>
          shape.reduceRight<[number[], number]>(
            ([at, rest], size) => [[...at, rest % size], Math.floor(rest / size)],
            [[], i],
          )[0];
        if (fortran) order.sort((a, b) => key(a).reduce((less, at, axis) => less || at - key(b)[axis], 0));
        const values = order.map((i) => (code === 'i8' ? BigInt(data[i]) : data[i]));
        const bytes = packed(values, Number(code[1]), methods[code], !big);
        const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
        const file = npy(`'${big ? '>' : '<'}${code}'`, tuple, bytes, {
          fortran: fortran ? 'True' : 'False',
        });
        const got = readNpy(file, 'a.npy');
        expect(got.data).toEqual(data);
        expect(got.shape).toEqual(shape);
        expect(readNpy(writeNpy(got.data, got.shape), 'b.npy')).toMatchObject({ data, shape });
      }),
      { seed: 2026, numRuns: 300 },
    );
  });

  test('the header that is written ends with a line break at a multiple of 64 bytes', () => {
    for (const shape of [[], [1], [2, 3], new Array(20).fill(1)]) {
      const bytes = writeNpy(new Int32Array(shape.reduce((p, s) => p * s, 1)), shape);
      const start = 10 + bytes[8] + 256 * bytes[9];
      expect(start % 64).toBe(0);
      expect(bytes[start - 1]).toBe(10);
    }
    expect(() => writeNpy(new Float32Array(5), [2, 3])).toThrow(
      'data: expected 6 values (the product of the shape), got Float32Array of 5',
    );
  });

  const data = floats(1, 2, 3, 4, 5, 6);
  const good = npy("'<f4'", '(2, 3)', data);
  const known = 'f2, f4, f8, i1, u1, i2, u2, i4, u4, i8, u8, b1';
  // biome-ignore format: a table, one mistake a line
  const bad: [what: string, bytes: Uint8Array, message: string | RegExp][] = [
    ['empty', new Uint8Array(), 'expected a NumPy file, which starts with \\x93NUMPY, got an empty file'],
    ['another kind', utf8('ELSE    WAVE'), /got a file that starts with the bytes 45 4c 53 45 20 20 20 20$/],
    ['a sound', utf8('RIFF    WAVE'), /got a WAV recording; a CTC model makes emissions of it/],
    ['a table', utf8('1.5,2\n-3,4e5\n'), /got numbers as text; numpy\.save/],
    ['a picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47), /got a picture/],
    ['cut in the magic', good.subarray(0, 5), 'starts with the bytes 93 4e 55 4d 50'],
    ['cut before the header', good.subarray(0, 9), 'header: expected a version and a length in 10 bytes, got 9'],
    ['cut before a long header', npyOf('', data, 2).subarray(0, 11), 'header: expected a version and a length in 12 bytes, got 11'],
    ['cut in the header', good.subarray(0, 40), /header length: expected at most 30, got \d+/],
    ['cut in the data', good.subarray(0, -1), 'shape: expected 24 bytes of data for [2, 3] of <f4, got 23'],
    ['more than the data', join(good, data), 'shape: expected 24 bytes of data for [2, 3] of <f4, got 48'],
    ['version 4', npyOf('{}', data, 4), "version: expected 1.0, 2.0 or 3.0, got '4.0'"],
    ['a header longer than the file', join(Uint8Array.of(0x93, ...utf8('NUMPY'), 2, 0), u32(2 ** 32 - 1), data), 'header length: expected at most 24, got 4294967295'],
    ['a header longer than any', npyOf(' '.repeat(70_000), data, 2), 'header length: expected at most 65535, got 70000'],
    ['a shape that lies', npy("'<f4'", '(1000000, 1000000)', data), 'shape: expected 4000000000000 bytes of data for [1000000, 1000000] of <f4, got 24'],
    ['a product that overflows', npy("'<f4'", `(${Array(40).fill('4294967296').join(', ')})`, data), /shape: expected Infinity bytes of data/],
    ['a product that overflows to its size', npy("'|u1'", '(4294967296, 4294967296)', new Uint8Array()), /shape: expected 18446744073709552000 bytes of data .*, got 0/],
    ['a size beyond numbers', npy("'<f4'", '(99999999999999999999,)', data), "shape: expected integers ≥ 0, got '(99999999999999999999,)'"],
    ['a negative size', npy("'<f4'", '(-2, -3)', data), "shape: expected integers ≥ 0, got '(-2, -3)'"],
    ['a fractional size', npy("'<f4'", '(2.0, 3)', data), "shape: expected integers ≥ 0, got '(2.0, 3)'"],
    ['a missing size', npy("'<f4'", '(2,,3)', data), "shape: expected integers ≥ 0, got '(2,,3)'"],
    ['a structured type', npy("[('a', '<f4'), ('b', '<i4')]", '(3,)', data), `dtype: expected one of ${known}, got '[('a', '<f4'), ('b', '<i4')]'`],
    ['a structured type of structured types', npy("[('a', [('x', '<f4')]), ('b', '<i4')]", '(3,)', data), `got '[('a', [('x', '<f4')]), ('b', '<i4')]'`],
    ['objects', npy("'|O'", '(3,)', data), `dtype: expected one of ${known}, got '|O'`],
    ['text', npy("'<U2'", '(3,)', data), `dtype: expected one of ${known}, got '<U2'`],
    ['complex numbers', npy("'<c8'", '(3,)', data), `dtype: expected one of ${known}, got '<c8'`],
    ['long doubles', npy("'<f16'", '(3,)', data), `dtype: expected one of ${known}, got '<f16'`],
    ['no order of bytes', npy("'|f4'", '(6,)', data), `dtype: expected one of ${known}, got '|f4'`],
    ['a type that every object knows', npy("'<constructor'", '(6,)', data), `dtype: expected one of ${known}, got '<constructor'`],
    ['a header that is none', npyOf('hello', data), "header: expected a dictionary with a valid descr, got 'hello'"],
    ['no shape', npyOf("{'descr': '<f4', 'fortran_order': False}", data), 'header: expected a dictionary with a valid shape, got '],
    ['no order', npyOf("{'descr': '<f4', 'shape': (6,)}", data), 'header: expected a dictionary with a valid fortran_order, got '],
    ['an order that is none', npy("'<f4'", '(6,)', data, { fortran: 'Maybe' }), 'header: expected a dictionary with a valid fortran_order, got '],
    ['an int64 beyond 32 bits', npy("'<i8'", '(1, 2)', packed([0n, 2n ** 31n], 8, 'BigInt64')), '[0, 1]: expected an integer of 32 bits, got 2147483648n'],
    ['a huge uint64', npy("'<u8'", '(2,)', packed([0n, 2n ** 64n - 1n], 8, 'BigUint64')), '[1]: expected an integer of 32 bits, got 18446744073709551615n'],
    ['a uint32 beyond int32', npy("'>u4'", '(1,)', packed([2 ** 31], 4, 'Uint32', false)), '[0]: expected an integer of 32 bits, got 2147483648'],
  ];
  test.each(bad)('%s is refused', (_, bytes, message) => {
    const read = () => readNpy(bytes, 'emissions.npy');
    expect(read).toThrow(RangeError);
    expect(read).toThrow(/^emissions\.npy: /);
    expect(read).toThrow(message);
  });
});

interface Entry {
  name: string;
  data: Uint8Array;
  deflate?: boolean;
  zip64?: boolean;
  /** Sizes and CRC follow the data, as where a zip was written to a pipe. */
  descriptor?: boolean;
  /** What to say instead of the truth. */
  lie?: {
    size?: number;
    compressed?: number;
    crc?: number;
    method?: number;
    flags?: number;
    start?: number;
    packed?: Uint8Array;
  };
}

function zip(
  entries: Entry[],
  { zip64 = false, comment = '', count = entries.length } = {},
): Uint8Array<ArrayBuffer> {
  let file = new Uint8Array();
  let directory = new Uint8Array();
  for (const { name, data, deflate, zip64, descriptor, lie } of entries) {
    const packed = lie?.packed ?? (deflate ? deflateRawSync(data) : data);
    const flags = lie?.flags ?? (descriptor ? 8 : 0);
    const [size, compressed, start] = [
      lie?.size ?? data.length,
      lie?.compressed ?? packed.length,
      lie?.start ?? file.length,
    ];
    const sum = u32(lie?.crc ?? crc32(data));
    const head = [u16(flags), u16(lie?.method ?? (deflate ? 8 : 0)), u32(0)];
    const sizes = descriptor ? [u32(0), u32(0), u32(0)] : [sum, u32(compressed), u32(size)];
    file = join(
      file,
      u32(0x04034b50),
      u16(20),
      ...head,
      ...sizes,
      u16(name.length),
      u16(0),
      utf8(name),
      packed,
    );
    if (descriptor) file = join(file, u32(0x08074b50), sum, u32(compressed), u32(size));
    const extra = zip64
      ? join(u16(0x5455), u16(1), Uint8Array.of(0), u16(1), u16(24), u64(size), u64(compressed), u64(start))
      : new Uint8Array();
    const [s, c, at] = zip64 ? new Array<number>(3).fill(0xffffffff) : [size, compressed, start];
    directory = join(
      directory,
      u32(0x02014b50),
      u16(20),
      u16(20),
      ...head,
      sum,
      u32(c),
      u32(s),
      u16(name.length),
      u16(extra.length),
      u16(0),
      u16(0),
      u16(0),
      u32(0),
      u32(at),
      utf8(name),
      extra,
    );
  }
  const start = file.length;
  const total = zip64
    ? [u16(0xffff), u16(0xffff), u32(0xffffffff), u32(0xffffffff)]
    : [u16(count), u16(count), u32(directory.length), u32(start)];
  const far = join(
    u32(0x06064b50),
    u64(44),
    u16(45),
    u16(45),
    u32(0),
    u32(0),
    u64(count),
    u64(count),
    u64(directory.length),
    u64(start),
  );
  const locator = join(u32(0x07064b50), u32(0), u64(start + directory.length), u32(1));
  return join(
    file,
    directory,
    ...(zip64 ? [far, locator] : []),
    u32(0x06054b50),
    u32(0),
    ...total,
    u16(comment.length),
    utf8(comment),
  );
}

describe('.npz', () => {
  const logits = { name: 'logits.npy', data: npy("'<f4'", '(2, 2)', floats(1, 2, 3, 4)) };
  const targets = { name: 'targets.npy', data: npy("'<i8'", '(3,)', packed([1n, 2n, 3n], 8, 'BigInt64')) };

  const ways: [what: string, file: Uint8Array][] = [
    ['stored', zip([logits, targets])],
    [
      'deflated',
      zip([
        { ...logits, deflate: true },
        { ...targets, deflate: true },
      ]),
    ],
    [
      'written to a pipe',
      zip([
        { ...logits, deflate: true, descriptor: true },
        { ...targets, descriptor: true },
      ]),
    ],
    [
      'zip64',
      zip(
        [
          { ...logits, zip64: true },
          { ...targets, zip64: true, deflate: true },
        ],
        { zip64: true },
      ),
    ],
    ['with a comment', zip([logits, targets], { comment: 'PK\x05\x06 is no end' })],
  ];
  test.each(ways)('%s', async (_, file) => {
    const arrays = readNpz(file, 'a.npz');
    expect([...arrays.keys()]).toEqual(['logits', 'targets']);
    expect(await arrays.get('logits')!()).toEqual({
      name: 'a.npz: logits',
      dtype: '<f4',
      shape: [2, 2],
      data: Float32Array.of(1, 2, 3, 4),
    });
    expect((await arrays.get('targets')!()).data).toEqual(Int32Array.of(1, 2, 3));
  });

  test('an entry of many chunks', async () => {
    const data = Float32Array.from({ length: 60_000 }, (_, i) => Math.sin(i));
    const file = zip([{ name: 'a.npy', data: writeNpy(data, [60, 1000]), deflate: true }]);
    expect((await readNpz(file, 'a.npz').get('a')!()).data).toEqual(data);
  });

  test('an array that is not asked for may be broken', async () => {
    const arrays = readNpz(zip([{ ...targets, lie: { crc: 1 } }, logits]), 'a.npz');
    expect((await arrays.get('logits')!()).shape).toEqual([2, 2]);
  });

  test('an archive of nothing, and one of other things', () => {
    expect(readNpz(zip([]), 'a.npz').size).toBe(0);
    expect(() => readNpz(zip([{ name: 'archive/data.pkl', data: utf8('x') }]), 'model.pt')).toThrow(
      "model.pt: expected a .npz file of NumPy's, got a file of torch.save's; save its tensor with numpy.save",
    );
  });

  const good = zip([logits, { ...targets, deflate: true }]);
  const patched = (file: Uint8Array, at: number, bytes: Uint8Array) => {
    const copy = Uint8Array.from(file);
    copy.set(bytes, at < 0 ? file.length + at : at);
    return copy;
  };
  // biome-ignore format: a table, one mistake a line
  const badDirectories: [what: string, file: Uint8Array, message: string | RegExp][] = [
    ['cut off', good.subarray(0, -10), 'a.npz: zip directory: expected one at the end of the file, got none; is the file cut off?'],
    ['only a beginning', good.subarray(0, 4), 'is the file cut off?'],
    ['bytes after the end', join(good, utf8('x')), 'is the file cut off?'],
    ['more entries than there are', zip([logits], { count: 3 }), /a\.npz: zip directory: expected 3 entries in \d+ bytes, got 1/],
    ['fewer entries than there are', zip([logits, targets], { count: 1 }), /zip directory: expected 1 entries in \d+ bytes, got 2/],
    ['a directory beyond the file', patched(good, -6, u32(1e9)), /zip directory: expected its end at byte \d+ or before, got 1000000/],
    ['a directory somewhere else', patched(good, -6, u32(0)), /zip directory: expected 2 entries in \d+ bytes, got 0/],
    ['a far zip64 record', patched(zip([logits], { zip64: true }), -34, u64(2 ** 52)), /zip64 directory: expected a record before byte \d+, got 4503599627370496/],
  ];
  test.each(badDirectories)('%s is refused', (_, file, message) => {
    expect(() => readNpz(file, 'a.npz')).toThrow(RangeError);
    expect(() => readNpz(file, 'a.npz')).toThrow(message);
  });

  const zeros = new Uint8Array(1e6);
  const { length } = logits.data;
  // biome-ignore format: a table, one mistake a line
  const badEntries: [what: string, entry: Partial<Entry>, message: string | RegExp][] = [
    ['encrypted', { lie: { flags: 1 } }, 'expected an entry that is not encrypted, got an encrypted one'],
    ['another method', { lie: { method: 14 } }, 'compression method: expected 0 (stored) or 8 (deflate), got 14'],
    ['a wrong sum', { lie: { crc: 7 } }, /CRC-32: expected 7, got \d+/],
    ['a wrong sum, deflated', { deflate: true, lie: { crc: 7 } }, /CRC-32: expected 7, got \d+/],
    ['stored of another size', { lie: { size: 1e9 } }, `size: expected ${length}, since it is stored uncompressed, got 1000000000`],
    ['stored, longer than the file', { lie: { size: 1e9, compressed: 1e9 } }, /compressed size: expected at most \d+ \(the rest of the file\), got 1000000000/],
    ['a size beyond memory', { deflate: true, zip64: true, lie: { size: 2 ** 50 } }, `size: expected at most ${2 ** 26} bytes (unpackedBytes), got ${2 ** 50}`],
    ['a size that the next entry leaves no room for', { lie: { compressed: length + 9 } }, `compressed size: expected at most ${length} (up to the next entry), got ${length + 9}`],
    ['inflating to less than declared', { deflate: true, lie: { size: length + 1 } }, `size: expected ${length + 1} bytes when inflated, got ${length}`],
    ['inflating to more than declared', { deflate: true, lie: { size: length - 1 } }, `size: expected ${length - 1} bytes when inflated, got 'more'`],
    ['a bomb', { data: zeros, deflate: true, lie: { size: 100 } }, "size: expected 100 bytes when inflated, got 'more'"],
    ['no deflate', { deflate: true, lie: { packed: utf8('hello, hello') } }, 'expected deflated data, got some that does not inflate: '],
    ['deflate that is cut', { deflate: true, lie: { packed: deflateRawSync(logits.data).subarray(0, 20) } }, 'expected deflated data, got some that does not inflate: '],
    ['no entry at its place', { lie: { start: 5 } }, 'expected an entry at byte 5, got none'],
    ['a place beyond the file', { zip64: true, lie: { start: 2 ** 50 } }, `expected an entry at byte ${2 ** 50}, got none`],
    ['no array', { data: utf8('hello') }, 'expected a NumPy file'],
    ['an array that lies', { data: npy("'<f4'", '(9,)', floats(1)), deflate: true }, 'shape: expected 36 bytes of data for [9] of <f4, got 4'],
  ];
  test.each(badEntries)('%s is refused', async (_, entry, message) => {
    const read = readNpz(zip([{ ...logits, ...entry }, targets]), 'a.npz').get('logits')!;
    await expect(read()).rejects.toThrow(RangeError);
    await expect(read()).rejects.toThrow(/^a\.npz: logits/);
    await expect(read()).rejects.toThrow(message);
  });

  test('what unpacks to more than 64 times the file and 64 MiB is refused, unless it is asked for', async () => {
    const megabytes = 65;
    const data = npy("'|u1'", `(${megabytes * 2 ** 20},)`, new Uint8Array(megabytes * 2 ** 20));
    const file = zip([{ name: 'a.npy', data, deflate: true }]);
    expect(file.length).toBeLessThan(2 ** 20);
    const refused = `a.npz: a.npy: size: expected at most ${2 ** 26} bytes (unpackedBytes), got ${data.length}`;
    await expect(readTensor(file, 'a.npz')).rejects.toThrow(refused);
    const small = zip([{ ...logits, deflate: true }]);
    const capped = readTensor(small, 'a.npz', undefined, { unpackedBytes: length - 1 });
    await expect(capped).rejects.toThrow(
      `a.npz: logits.npy: size: expected at most ${length - 1} bytes (unpackedBytes), got ${length}`,
    );
    const options = { unpackedBytes: length };
    expect((await readTensor(small, 'a.npz', undefined, options)).shape).toEqual([2, 2]);
    // padding of zeros is no bomb, and what is stored is as large as it is
    const padded = npy("'<f4'", '(1000000,)', new Uint8Array(4e6));
    for (const deflate of [true, false])
      expect((await readTensor(zip([{ name: 'a.npy', data: padded, deflate }]), 'a.npz')).shape).toEqual([
        1e6,
      ]);
  });

  test('entries that share their bytes are refused: a thousand of them would unpack a thousand times', async () => {
    expect(() => readNpz(zip([logits, { ...targets, lie: { start: 0 } }]), 'a.npz')).toThrow(
      "a.npz: zip directory: expected one entry at each place, got 'two at byte 0'",
    );
    const whole = zip([logits, targets]);
    const inner = zip([
      { ...logits, data: whole },
      { ...targets, lie: { start: 30 + logits.name.length } },
    ]);
    const outer = readNpz(inner, 'a.npz').get('logits')!();
    await expect(outer).rejects.toThrow(
      /compressed size: expected at most 0 \(up to the next entry\), got \d+/,
    );
    expect(() => readNpz(zip([logits, logits]), 'a.npz')).toThrow(
      "a.npz: zip directory: expected each name once, got 'logits.npy'",
    );
  });

  test('a zip with any byte changed is read, or refused with the name of the file', async () => {
    const file = zip(
      [
        { ...logits, deflate: true },
        { ...targets, zip64: true },
      ],
      { zip64: true },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.nat(255), async (at, byte) => {
        try {
          const entries = readZip(patched(file, at, Uint8Array.of(byte)), 'a.npz');
          for (const unpack of entries.values()) await unpack();
        } catch (error) {
          expect((error as Error).message).toMatch(/^a\.npz: /);
        }
      }),
      { seed: 2026, numRuns: 500 },
    );
  });
});

describe('.safetensors', () => {
  const safetensors = (header: unknown, data = new Uint8Array()) => {
    const text = typeof header === 'string' ? header : JSON.stringify(header);
    return join(u64(utf8(text).length), utf8(text), data);
  };
  const entry = (dtype: string, shape: number[], ...offsets: number[]) => ({
    dtype,
    shape,
    data_offsets: offsets,
  });

  test('tensors of every type', async () => {
    const parts: [dtype: string, bytes: Uint8Array, want: Float32Array | Int32Array][] = [
      ['F32', floats(1.5, -2), Float32Array.of(1.5, -2)],
      ['F64', packed([1.5, -2], 8, 'Float64'), Float32Array.of(1.5, -2)],
      ['F16', packed([0x3e00, 0xc000], 2, 'Uint16'), Float32Array.of(1.5, -2)],
      ['BF16', packed([0x3fc0, 0xff80], 2, 'Uint16'), Float32Array.of(1.5, -Infinity)],
      ['I64', packed([-1n, 3n], 8, 'BigInt64'), Int32Array.of(-1, 3)],
      ['U64', packed([1n, 3n], 8, 'BigUint64'), Int32Array.of(1, 3)],
      ['I32', packed([-1, 3], 4, 'Int32'), Int32Array.of(-1, 3)],
      ['U32', packed([1, 3], 4, 'Uint32'), Int32Array.of(1, 3)],
      ['I16', packed([-1, 3], 2, 'Int16'), Int32Array.of(-1, 3)],
      ['U16', packed([1, 3], 2, 'Uint16'), Int32Array.of(1, 3)],
      ['I8', Uint8Array.of(255, 3), Int32Array.of(-1, 3)],
      ['U8', Uint8Array.of(255, 3), Int32Array.of(255, 3)],
      ['BOOL', Uint8Array.of(1, 0), Int32Array.of(1, 0)],
    ];
    const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
    let at = 0;
    for (const [dtype, { length }] of parts) {
      header[dtype] = entry(dtype, [1, 2], at, at + length);
      at += length;
    }
    const tensors = readSafetensors(safetensors(header, join(...parts.map(([, bytes]) => bytes))), 'a');
    expect([...tensors.keys()]).toEqual(parts.map(([dtype]) => dtype));
    for (const [dtype, , data] of parts)
      expect(await tensors.get(dtype)!()).toEqual({ name: `a: ${dtype}`, dtype, shape: [1, 2], data });
  });

  test('a type that is not understood only matters to who reads it', async () => {
    const header = { a: entry('F8_E4M3', [2], 0, 2), b: entry('F32', [], 2, 6), c: entry('I8', [0], 6, 6) };
    const tensors = readSafetensors(safetensors(header, join(u16(0), floats(7))), 'a');
    expect((await tensors.get('b')!()).data).toEqual(Float32Array.of(7));
    expect((await tensors.get('c')!()).data).toEqual(new Int32Array());
    await expect(tensors.get('a')!()).rejects.toThrow(
      "a: a: dtype: expected one of F16, BF16, F32, F64, I8, U8, I16, U16, I32, U32, I64, U64, BOOL, got 'F8_E4M3'",
    );
  });

  test('a shape that is not that of its bytes', async () => {
    const tensors = readSafetensors(
      safetensors({ x: entry('F32', [2 ** 40, 2 ** 40], 0, 8) }, floats(1, 2)),
      'a',
    );
    await expect(tensors.get('x')!()).rejects.toThrow(/^a: x: shape: expected 4\.8\d+e\+24 bytes of data/);
  });

  const data = floats(1, 2);
  // biome-ignore format: a table, one mistake a line
  const bad: [what: string, bytes: Uint8Array, message: string | RegExp][] = [
    ['empty', new Uint8Array(), 'expected a header length of 8 bytes, got Uint8Array of 0'],
    ['a header longer than the file', join(u64(2 ** 52), utf8('{}')), 'header length: expected at most 2 (the rest of the file), got 4503599627370496'],
    ['cut in the header', safetensors({ x: entry('F32', [2], 0, 8) }).subarray(0, 20), /header length: expected at most 12 \(the rest of the file\), got \d+/],
    ['no JSON', safetensors('{x}'), 'header: not JSON: '],
    ['an array', safetensors([1]), 'header: expected a JSON object, got [1]'],
    ['a tensor that is none', safetensors({ x: null }), 'x: dtype: expected a string, got undefined'],
    ['no shape', safetensors({ x: { dtype: 'F32' } }), 'x: shape: expected an array of integers ≥ 0, got undefined'],
    ['a negative size', safetensors({ x: entry('F32', [-2], 0, 8) }, data), 'x: shape: expected an array of integers ≥ 0, got [-2]'],
    ['a fractional offset', safetensors({ x: entry('F32', [2], 0, 7.5) }, data), 'x: data_offsets: expected two integers ≥ 0, got [0, 7.5]'],
    ['three offsets', safetensors({ x: entry('F32', [2], 0, 4, 8) }, data), 'x: data_offsets: expected two integers ≥ 0, got [0, 4, 8]'],
    ['offsets beyond the file', safetensors({ x: entry('F32', [4], 0, 16) }, data), 'x: data_offsets: expected a range in the 8 bytes of data, got [0, 16]'],
    ['offsets back to front', safetensors({ x: entry('F32', [2], 8, 0) }, data), 'x: data_offsets: expected a range in the 8 bytes of data, got [8, 0]'],
    ['two tensors on the same bytes', safetensors({ x: entry('F32', [2], 0, 8), y: entry('F32', [1], 4, 8) }, data), 'y: data_offsets: expected 8 as the first, got 4'],
    ['a hole', safetensors({ x: entry('F32', [1], 4, 8) }, data), 'x: data_offsets: expected 0 as the first, got 4'],
    ['bytes after the last tensor', safetensors({ x: entry('F32', [1], 0, 4) }, data), 'data: expected 4 bytes (the end of the last tensor), got 8'],
  ];
  test.each(bad)('%s is refused', (_, bytes, message) => {
    const read = () => readSafetensors(bytes, 'model.safetensors');
    expect(read).toThrow(RangeError);
    expect(read).toThrow(/^model\.safetensors: /);
    expect(read).toThrow(message);
  });

  test('the content says what a file is, not its name', async () => {
    const array = npy("'<f4'", '(1,)', floats(1));
    const files = [
      array,
      zip([{ name: 'x.npy', data: array }]),
      safetensors({ x: entry('F32', [1], 0, 4) }, floats(1)),
    ];
    for (const bytes of files) {
      const { data } = await readTensor(bytes, 'upload.bin');
      expect(data).toEqual(Float32Array.of(1));
    }
    const [npyFile, npzFile] = files.map((bytes) => [...readTensors(bytes, 'a.bin').keys()]);
    expect([npyFile, npzFile]).toEqual([['a.bin'], ['x']]);
    for (const unknown of ['{"shape": [3, 2, 3]}', 'RIFF    WAVEfmt ', '']) {
      expect(() => readTensors(utf8(unknown), 'x.npy')).toThrow(
        /^x\.npy: expected a \.npy or \.npz file of NumPy's, or a \.safetensors file, got (a file that starts with the bytes|an empty file|JSON|a WAV)/,
      );
    }
  });

  test('one tensor of several must be named', async () => {
    const bytes = safetensors({ x: entry('F32', [1], 0, 4), y: entry('F32', [1], 4, 8) }, data);
    expect((await readTensor(bytes, 'm', 'y')).data).toEqual(Float32Array.of(2));
    await expect(readTensor(bytes, 'm')).rejects.toThrow(
      'm: expected one tensor, or the name of one of: x, y, got 2',
    );
    await expect(readTensor(bytes, 'm', 'z')).rejects.toThrow(
      "m: expected the name of a tensor in it (x, y), got 'z'",
    );
    await expect(readTensor(safetensors({}), 'm')).rejects.toThrow(
      'm: expected one tensor, or the name of one of: , got 0',
    );
  });
});

describe('what a tensor may be', () => {
  const scores = readNpy(npy("'<f4'", '(2, 3)', floats(0, -Infinity, 1, 2, 3, NaN)), 'emissions.npy');
  const labels = readNpy(npy("'<i8'", '(1,)', packed([3n], 8, 'BigInt64')), 'emissions.npy');

  test('scores have fractions, labels have none', () => {
    expect(scoresOf(scores)).toBe(scores.data);
    expect(integersOf(labels)).toBe(labels.data);
    expect(() => scoresOf(labels)).toThrow("emissions.npy: dtype: expected one of f2, f4, f8, got '<i8'");
    expect(() => integersOf(scores)).toThrow(
      "emissions.npy: dtype: expected one of i1, u1, i2, u2, i4, u4, i8, u8, b1, got '<f4'",
    );
  });

  test('the first score that is none is found', () => {
    expect(findInvalidScore(scores)).toEqual({ index: [1, 2], value: NaN });
    expect(
      findInvalidScore({ data: Float32Array.of(-Infinity, 0, Infinity, NaN), shape: [2, 1, 2] }),
    ).toEqual({ index: [1, 0, 0], value: Infinity });
    expect(findInvalidScore({ data: Float32Array.of(-Infinity, 0), shape: [2] })).toBeUndefined();
  });
});

describe('the emissions of one recording', () => {
  const tensor = (values: number[], ...shape: number[]) => ({
    ...{ name: 'emissions.npy', dtype: '<f4', data: Float32Array.from(values), shape },
  });
  const probs = [0.5, 0.5, 0.25, 0.75];

  test.each([
    ['logits', [1, 2, 3, 4], 'logits', [1, 2, 3, 4]],
    ['log-probs', probs.map(Math.log), 'logProbs', probs.map(Math.log)],
    ['probs', probs, 'logProbs', probs.map(Math.log)],
  ] as const)('%s are known by their sums', (kind, values, argument, scores) => {
    const expected = {
      ...{ kind, argument, frames: 2, classes: 2, padding: 0, starred: false },
      data: Float32Array.from(scores),
      scores: { [argument]: { data: Float32Array.from(scores), shape: [2, 2] } },
    };
    for (const shape of [
      [2, 2],
      [2, 1, 2],
      [1, 2, 2],
    ])
      expect(emissionsOf(tensor([...values], ...shape))).toEqual(expected);
  });

  test('probabilities may be rounded, and rows of them cut off', () => {
    const rounded = tensor([0.505, 0.504, 1.009, 0, 0.25, 0.25], 3, 2);
    expect(emissionsOf(rounded, { kind: 'probs' }).kind).toBe('probs');
  });

  const given = { logits: [1, 2, 3, 4], 'log-probs': probs.map(Math.log), probs };
  const kinds = [undefined, ...scoreKinds];

  test.each(scoreKinds)('%s: rows of zeros at the end are padding', (kind) => {
    const bare = emissionsOf(tensor([...given[kind]], 2, 2), { kind });
    for (const shape of [
      [5, 2],
      [5, 1, 2],
      [1, 5, 2],
    ])
      for (const asked of [undefined, kind]) {
        const padded = tensor([...given[kind], 0, 0, -0, 0, 0, 0], ...shape);
        expect(emissionsOf(padded, asked ? { kind: asked } : {})).toEqual({ ...bare, padding: 3 });
      }
  });

  test.each(['log-probs', 'probs'] as const)('%s: a row of zeros before the last is refused', (kind) => {
    const [a, b, c, d] = given[kind];
    const expected = kind === 'probs' ? 'probabilities' : 'log-probabilities';
    for (const asked of [undefined, kind]) {
      const options = asked ? { kind: asked } : {};
      for (const [shape, place] of [
        [[3, 2], '1'],
        [[3, 1, 2], '1, 0'],
        [[1, 3, 2], '0, 1'],
      ] as const)
        expect(() => emissionsOf(tensor([a!, b!, 0, 0, c!, d!], ...shape), options)).toThrow(
          `[${place}]: expected ${expected}, got a row of zeros`,
        );
    }
  });

  test('among logits a row of zeros is one like others', () => {
    expect(emissionsOf(tensor([1, 2, 0, 0, 3, 4, 0, 0], 4, 2))).toMatchObject({
      ...{ kind: 'logits', frames: 3, padding: 1 },
      data: Float32Array.of(1, 2, 0, 0, 3, 4),
    });
  });

  test('zeros alone are no scores; of a single class, 0 is a log-probability', () => {
    for (const kind of kinds)
      expect(() => emissionsOf(tensor([0, 0, 0, 0], 2, 2), kind ? { kind } : {})).toThrow(
        'emissions.npy: expected scores, got rows of zeros alone',
      );
    expect(emissionsOf(tensor([0, 0], 2, 1), { kind: 'log-probs' })).toMatchObject({ frames: 2, padding: 0 });
  });

  test('a float64 too small for a float32 is no zero', () => {
    const small = {
      ...{ ...tensor([0.5, 0.5, 0, 0, 0, 0], 3, 2), dtype: '<f8' },
      exact: Float64Array.of(0.5, 0.5, 1e-60, 2e-60, 0, 0),
    };
    expect(emissionsOf(small, { kind: 'probs' })).toMatchObject({
      ...{ frames: 2, padding: 1 },
      data: Float32Array.from([0.5, 0.5, 1e-60, 2e-60], Math.log),
    });
  });

  test('a row with a NaN says nothing', () => {
    expect(scoreKindOf(Float32Array.of(5, NaN, 2, 7, NaN, 3), 3)).toBe('logits');
    for (const kind of ['probs', 'log-probs'] as const) {
      const values = kind === 'probs' ? probs : probs.map(Math.log);
      expect(scoreKindOf(Float32Array.of(...values, NaN, 9), 2)).toBe(kind);
    }
  });

  test('what is asked for goes before what they look like', () => {
    for (const kind of scoreKinds) expect(emissionsOf(tensor(probs, 2, 2), { kind }).kind).toBe(kind);
    expect(emissionsOf(tensor([1, 2, 3, 4], 1, 1, 4), { layout: 'NTC' })).toMatchObject({
      frames: 1,
      classes: 4,
    });
  });

  test.each([
    [tensor(probs, 4), {}, 'expected one recording, [T, C], [1, T, C] or [T, 1, C], got [4]'],
    [
      tensor([...probs, ...probs], 2, 2, 2),
      {},
      'expected one recording, [T, C], [1, T, C] or [T, 1, C], got [2, 2, 2]; item: N takes one',
    ],
    [tensor(probs, 2, 2), { layout: 'TNC' }, 'expected one recording, [T, N, C], got [2, 2]'],
    [
      tensor([0, 1, Number.NaN, 0], 2, 2),
      {},
      '[1, 0]: expected a score; if it is padding, inputLength says how many frames there are, got NaN',
    ],
    [tensor([0, 1, -1, 0], 2, 2), { kind: 'probs' }, '[1, 0]: expected a probability, got -1'],
    [tensor([0, 1, 1, 1.25], 2, 2), { kind: 'probs' }, '[1, 1]: expected a probability, got 1.25'],
    [tensor([3, 5, 9], 1, 1, 3), { kind: 'probs' }, '[0, 0, 0]: expected a probability, got 3'],
    [
      tensor([0, 1, 0.75, 0.5], 2, 2),
      { kind: 'probs' },
      '[1]: expected probabilities with a sum of 1, got 1.25',
    ],
    [
      tensor([0, 1, 0.75, 0.5], 2, 1, 2),
      { kind: 'probs' },
      '[1, 0]: expected probabilities with a sum of 1, got 1.25',
    ],
    [
      { ...tensor([], 2, 2), data: Int32Array.of(0, 1, 2, 3), dtype: '<i4' },
      {},
      "dtype: expected one of f2, f4, f8, got '<i4'",
    ],
  ] as const)('an error says what is wrong: %#', (wrong, options, message) => {
    expect(() => emissionsOf(wrong, options)).toThrow(message);
  });
});

/** Words one after another: [text, length, pause before]. */
function spoken(...words: [text: string, length?: number, pause?: number][]): TimedWord[] {
  let now = 0;
  return words.map(([text, length = 0.3, pause = 0.1]) => {
    const start = now + pause;
    now = start + length;
    return { text, start, end: now };
  });
}

const ms = (seconds: number) => Math.round(seconds * 1000);

/** Cues as an independent parser reads them. */
async function cuesOf(text: string, type: 'srt' | 'vtt') {
  const { cues, errors } = await parseText(text, { type, strict: true, errors: true });
  expect(errors).toEqual([]);
  expect(cues).toHaveLength(text.match(/^\S+ --> \S+$/gm)?.length ?? 0);
  return cues.map((cue) => ({
    text: type === 'vtt' ? unescaped(renderVTTCueString(cue)) : cue.text,
    start: ms(cue.startTime),
    end: ms(cue.endTime),
  }));
}
const unescaped = (html: string) =>
  html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

const writers = { srt: writeSrt, vtt: writeVtt };

const randomWords = fc
  .array(
    fc.record({
      text: fc.stringMatching(/^[a-zA-Z&<>"'-]{1,14}[.,!?]?$/),
      length: fc.double({ min: 0, max: 3, noNaN: true }),
      pause: fc.double({ min: -1, max: 1.2, noNaN: true }),
    }),
    { maxLength: 40 },
  )
  .map((words) => {
    let [start, end] = [0, 0];
    return words.map(({ text, length, pause }) => {
      start = Math.max(start, end + pause);
      end = start + length;
      return { text, start, end };
    });
  });

describe.each(['srt', 'vtt'] as const)('.%s', (type) => {
  const write = writers[type];
  const texts = async (words: TimedWord[]) => (await cuesOf(write(words), type)).map(({ text }) => text);

  test('a cue for each word, with its times to the millisecond', async () => {
    const words = [
      { text: 'hello', start: 0.0204, end: 0.5006 },
      { text: 'world', start: 59.9996, end: 60.25 },
      { text: 'late', start: 3 * 3600 + 62.0015, end: 3 * 3600 + 63 },
    ];
    expect(await cuesOf(write(words, { split: 'word' }), type)).toEqual([
      { text: 'hello', start: 20, end: 501 },
      { text: 'world', start: 60_000, end: 60_250 },
      { text: 'late', start: 10_862_002, end: 10_863_000 },
    ]);
  });

  test('hours have as many digits as they need', () => {
    const words = [{ text: 'far', start: 123 * 3600, end: 123 * 3600 + 0.5 }];
    const point = type === 'srt' ? ',' : '.';
    expect(write(words)).toContain(`123:00:00${point}000 --> 123:00:00${point}500\n`);
  });

  test('a sentence ends a cue', async () => {
    const words = spoken(['Is'], ['it?'], ['It'], ['is.”'], ['I'], ['know.)'], ['v1.2'], ['is']);
    expect(await texts(words)).toEqual(['Is it?', 'It is.”', 'I know.)', 'v1.2 is']);
  });

  test('a pause of more than 0.8 s ends a cue', async () => {
    expect(await texts(spoken(['one'], ['two', 0.3, 0.8], ['three', 0.3, 0.81]))).toEqual([
      'one two',
      'three',
    ]);
  });

  test('a cue has at most two lines of 42 characters, as even as can be', async () => {
    const line = 'It was the best of times it was the worst of times it was the age of wisdom it was';
    const words = spoken(...line.split(' ').map((text): [string, number] => [text, 0.1]));
    expect(await texts(words)).toEqual([
      'It was the best of times it was the worst\nof times it was the age of wisdom it was',
    ]);
    const ten = spoken(...Array(10).fill(['nine chars', 0.1, 0]));
    const widths = (await texts(ten)).map((text) => text.split('\n').map(({ length }) => length));
    expect(widths).toEqual([
      [21, 32],
      [21, 32],
    ]);
    const long = 'x'.repeat(50);
    expect(await texts(spoken(['a'], [long], ['b']))).toEqual([`a\n${'x'.repeat(42)}`, `${'x'.repeat(8)} b`]);
  });

  test('long words are not tried at every place where a line could break', () => {
    const words = spoken(...Array.from({ length: 80 }, (): [string, number] => ['x'.repeat(1000), 0.01]));
    let joined = 0;
    const join = Array.prototype.join;
    const counted = vi.spyOn(Array.prototype, 'join').mockImplementation(function (this: unknown[], between) {
      const text = join.call(this, between);
      joined += text.length;
      return text;
    });
    const written = write(words).length;
    counted.mockRestore();
    expect(joined).toBeLessThan(5 * written);
  });

  test('a cue lasts at most 7 s, unless it is one word', async () => {
    expect(
      await texts(spoken(['a', 3.4, 0], ['b', 3.4, 0.2], ['c', 0.1, 0], ['d', 9, 0], ['e', 0.1, 0])),
    ).toEqual(['a b', 'c', 'd', 'e']);
  });

  test('words that overlap or have no length do not reach the file', async () => {
    const words = [
      { text: 'a', start: 0, end: 2 },
      { text: 'b', start: 1, end: 1.5 },
      { text: 'c', start: 1.5, end: 1.5 },
      { text: 'd', start: 1.5, end: 3 },
    ];
    expect(await cuesOf(write(words, { split: 'word' }), type)).toEqual([
      { text: 'a', start: 0, end: 1000 },
      { text: 'b', start: 1000, end: 1500 },
      // a frame of video
      { text: 'c', start: 1500, end: 1542 },
      { text: 'd', start: 1542, end: 3000 },
    ]);
  });

  test('no text breaks the file', async () => {
    const words = spoken(['a\n\nb'], ['  '], ['\u2028c\t d\0'], ['12'], ['-->'], ['<i>R&D</i>']);
    const cues = await cuesOf(write(words, { split: 'word' }), type);
    const arrow = type === 'srt' ? '→' : '-->';
    expect(cues.map(({ text }) => text)).toEqual(['a b', 'c d', '12', arrow, '<i>R&D</i>']);
    expect(await texts(words)).toEqual([`a b c d 12 ${arrow} <i>R&D</i>`]);
  });

  test('no words', async () => {
    expect(await cuesOf(write([]), type)).toEqual([]);
  });

  test('captions are readable, whatever the words', async () => {
    await fc.assert(
      fc.asyncProperty(randomWords, async (words) => {
        const cues = await cuesOf(write(words), type);
        const said = cues.flatMap(({ text }) => text.split(/[ \n]/));
        expect(said).toEqual(words.map(({ text }) => (type === 'srt' ? text.replaceAll('-->', '→') : text)));
        cues.forEach(({ text, start, end }, i) => {
          expect(end).toBeGreaterThan(start);
          if (i > 0) expect(start).toBeGreaterThanOrEqual(cues[i - 1].end);
          const lines = text.split('\n');
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(42);
          if (/\s/.test(text)) expect(end - start).toBeLessThanOrEqual(7000);
        });
      }),
      { seed: 2026, numRuns: 200 },
    );
  });

  test('another split is refused', () => {
    expect(() => write([], { split: 'line' as 'word' })).toThrow(
      "split: expected 'caption', 'word' or how many words each cue has, got 'line'",
    );
  });
});

/** Praat's long text, read as strictly as its manual describes it. */
function parseTextGrid(text: string) {
  const lines = text.split('\n');
  const take = (pattern: RegExp) => {
    const line = lines.shift();
    const found = line?.match(new RegExp(`^ *${pattern.source} *$`));
    if (!found) throw new Error(`expected ${pattern}, got ${line}`);
    return found[1];
  };
  const head = () => {
    const [xmin, xmax] = [Number(take(/xmin = (\d+(?:\.\d+)?)/)), Number(take(/xmax = (\d+(?:\.\d+)?)/))];
    expect(xmax).toBeGreaterThan(xmin);
    return { start: ms(xmin), end: ms(xmax) };
  };
  const textOf = (quoted: string) => quoted.replaceAll('""', '"');
  take(/File type = "ooTextFile"/);
  take(/Object class = "TextGrid"/);
  take(/()/);
  const whole = head();
  take(/tiers\? <exists>/);
  const size = Number(take(/size = (\d+)/));
  take(/item \[\]:/);
  const tiers = Array.from({ length: size }, (_, i) => {
    take(new RegExp(`item \\[${i + 1}\\]:`));
    take(/class = "IntervalTier"/);
    const name = take(/name = "((?:[^"]|"")*)"/);
    expect(head()).toEqual(whole);
    const intervals = Array.from({ length: Number(take(/intervals: size = (\d+)/)) }, (_, j) => {
      take(new RegExp(`intervals \\[${j + 1}\\]:`));
      return { ...head(), text: textOf(take(/text = "((?:[^"]|"")*)"/)) };
    });
    let now = 0;
    for (const { start, end } of intervals) {
      expect(start).toBe(now);
      now = end;
    }
    expect(now).toBe(whole.end);
    return { name: textOf(name), intervals };
  });
  expect(lines).toEqual(['']);
  return { end: whole.end, tiers };
}

describe('.TextGrid', () => {
  test('words with their times, gaps as empty intervals', () => {
    const words = [
      { text: 'say "hi"', start: 0.5, end: 0.9 },
      { text: 'you', start: 0.9, end: 10_800.0004 },
    ];
    const characters = [{ text: '"', start: 0, end: 0.02 }];
    expect(parseTextGrid(writeTextGrid(words, { duration: 10_801, characters }))).toEqual({
      end: 10_801_000,
      tiers: [
        {
          name: 'words',
          intervals: [
            { text: '', start: 0, end: 500 },
            { text: 'say "hi"', start: 500, end: 900 },
            { text: 'you', start: 900, end: 10_800_000 },
            { text: '', start: 10_800_000, end: 10_801_000 },
          ],
        },
        {
          name: 'characters',
          intervals: [
            { text: '"', start: 0, end: 20 },
            { text: '', start: 20, end: 10_801_000 },
          ],
        },
      ],
    });
    expect(parseTextGrid(writeTextGrid(words)).end).toBe(10_800_000);
  });

  test('a recording without words is one empty interval', () => {
    const [{ intervals }] = parseTextGrid(writeTextGrid([], { duration: 2 })).tiers;
    expect(intervals).toEqual([{ text: '', start: 0, end: 2000 }]);
  });

  test('a duration that is none, or too short', () => {
    const words = [{ text: 'a', start: 1, end: 2.5 }];
    expect(() => writeTextGrid(words, { duration: 2 })).toThrow(
      'duration: expected seconds ≥ 2.500 (the end of the last word), got 2',
    );
    for (const duration of [0, NaN, Infinity, -1, undefined]) {
      expect(() => writeTextGrid([], { duration })).toThrow(
        `duration: expected seconds > 0, got ${duration ?? 0}`,
      );
    }
    expect(() => writeTextGrid(words, { characters: [{ text: 'a', start: 2, end: 1 }] })).toThrow(
      'characters[0].end: expected seconds ≥ 2 (its start), got 1',
    );
  });

  test('intervals cover the recording, whatever the words', () => {
    fc.assert(
      fc.property(randomWords, (words) => {
        const [{ intervals }] = parseTextGrid(writeTextGrid(words, { duration: 500 })).tiers;
        expect(intervals.filter(({ text }) => text).map(({ text }) => text)).toEqual(
          words.map(({ text }) => text),
        );
      }),
      { seed: 2026, numRuns: 100 },
    );
  });
});

/** A line of a CTM as NIST's scorer takes it: five fields and perhaps a confidence; `;;` starts a comment. */
function parseCtm(text: string) {
  return text.split(/(?<=\n)/).map((line) => {
    const fields = line.match(/^(?!;;)(\S+) (\S+) (\d+\.\d+) (\d+\.\d+) (\S+)(?: ([01]\.\d+))?\n$/);
    if (!fields) throw new Error(`no line of a CTM: ${line}`);
    const [, name, channel, start, duration, word, confidence] = fields;
    return { name, channel, start: ms(+start), end: ms(+start) + ms(+duration), word, confidence };
  });
}

describe('.ctm', () => {
  test('words with their times and confidences', () => {
    const words = [
      { text: 'new york', start: 0.0204, end: 0.5006, confidence: 0.98765 },
      { text: 'city', start: 10_800.5, end: 10_801 },
      { text: 'sure', start: 10_801, end: 10_801.0001, confidence: 1.0000002 },
    ];
    expect(parseCtm(writeCtm(words, { name: ';; my talk', channel: 'A' }))).toEqual([
      { name: '__my_talk', channel: 'A', start: 20, end: 501, word: 'new_york', confidence: '0.988' },
      {
        name: '__my_talk',
        channel: 'A',
        start: 10_800_500,
        end: 10_801_000,
        word: 'city',
        confidence: undefined,
      },
      {
        name: '__my_talk',
        channel: 'A',
        start: 10_801_000,
        end: 10_801_001,
        word: 'sure',
        confidence: '1.000',
      },
    ]);
    expect(writeCtm([], { name: 'a' })).toBe('');
    expect(writeTimedText('.ctm', [{ text: 'a', start: 0, end: 1 }])).toBe('_ 1 0.000 1.000 a\n');
  });

  test('times are those of the words, whatever the words', () => {
    fc.assert(
      fc.property(
        randomWords.filter(({ length }) => length > 0),
        (words) => {
          const lines = parseCtm(writeCtm(words, { name: 'a' }));
          expect(lines.map(({ word }) => word)).toEqual(words.map(({ text }) => text));
          const cues = parseTextGrid(writeTextGrid(words)).tiers[0].intervals.filter(({ text }) => text);
          expect(lines.map(({ start, end }) => [start, end])).toEqual(
            cues.map(({ start, end }) => [start, end]),
          );
        },
      ),
      { seed: 2026, numRuns: 100 },
    );
  });
});

describe('timed text', () => {
  const words = [{ text: 'a', start: 0, end: 1 }];

  test('the extension chooses the format', () => {
    expect(timedTextFormats).toEqual(['srt', 'vtt', 'TextGrid', 'ctm']);
    for (const format of timedTextFormats) {
      expect(timedTextFormat(`C:\\my.talks\\a.b.${format}`)).toBe(format);
      expect(timedTextFormat(format === 'srt' ? 'A.SRT' : `a.${format.toLowerCase()}`)).toBe(format);
    }
    expect(writeTimedText('talks/my talk.ctm', words)).toBe('my_talk 1 0.000 1.000 a\n');
    expect(writeTimedText('talks/my talk.ctm', words, { name: 'x', channel: '2' })).toBe(
      'x 2 0.000 1.000 a\n',
    );
    expect(writeTimedText('a.vtt', words)).toBe('WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na\n');
    expect(writeTimedText('a.srt', words)).toBe('1\n00:00:00,000 --> 00:00:01,000\na\n');
    expect(parseTextGrid(writeTimedText('a.TextGrid', words, { duration: 3 })).end).toBe(3000);
    expect(() => timedTextFormat('a.srt/words.docx')).toThrow(
      "a.srt/words.docx: expected a file name that ends in one of .srt, .vtt, .TextGrid, .ctm, got '.docx'",
    );
    expect(() => timedTextFormat('a.srt/words')).toThrow("got 'no extension'");
  });

  // biome-ignore format: a table, one mistake a line
  const bad: [word: Partial<Record<keyof TimedWord, unknown>>, message: string][] = [
    [{ text: 3 }, 'words[1].text: expected a string, got 3'],
    [{ start: NaN }, 'words[1].start: expected seconds ≥ 0 (the start of the word before), got NaN'],
    [{ start: -1 }, 'words[1].start: expected seconds ≥ 0 (the start of the word before), got -1'],
    [{ start: Infinity }, 'words[1].start: expected seconds ≥ 0 (the start of the word before), got Infinity'],
    [{ start: 1e300 }, 'words[1].start: expected seconds ≤ 9007199254740, got 1e+300'],
    [{ end: 1e300 }, 'words[1].end: expected seconds ≤ 9007199254740, got 1e+300'],
    [{ start: '1' }, "words[1].start: expected seconds ≥ 0 (the start of the word before), got '1'"],
    [{ end: 0.5 }, 'words[1].end: expected seconds ≥ 1 (its start), got 0.5'],
    [{ end: Infinity }, 'words[1].end: expected seconds ≥ 1 (its start), got Infinity'],
    [{ confidence: -2.3 }, 'words[1].confidence: expected a number from 0 to 1, got -2.3'],
    [{ confidence: NaN }, 'words[1].confidence: expected a number from 0 to 1, got NaN'],
  ];
  test.each(bad)('%o is refused', (word, message) => {
    for (const format of timedTextFormats) {
      const all = [...words, { text: 'b', start: 1, end: 2, ...word } as TimedWord];
      expect(() => writeTimedText(`a.${format}`, all)).toThrow(message);
    }
  });
});
