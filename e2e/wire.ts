// What a test tells a page, and a page tells a test, as text: for a browser whose protocol has no typed arrays.

const arrays = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint16Array, Uint8Array };
type ArrayName = keyof typeof arrays;

/** Text of a value made of objects, arrays, typed arrays, strings, booleans and any numbers. */
export const pack = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'number' && (!Number.isFinite(item) || Object.is(item, -0)))
      return { $number: Object.is(item, -0) ? '-0' : String(item) };
    if (!ArrayBuffer.isView(item)) return item;
    return { $array: item.constructor.name, values: Array.from(item as Float32Array) };
  });

export const unpack = (text: string): unknown =>
  JSON.parse(text, (_, item) => {
    if (item?.$number) return Number(item.$number);
    return item?.$array ? arrays[item.$array as ArrayName].from(item.values) : item;
  });
