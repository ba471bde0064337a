import { readFileSync } from 'node:fs';

/**
 * Reads a float32 matrix that NumPy saved. NumPy may store it column by column (`fortran_order`); it comes back row by row.
 *
 * @param {string | URL} file
 * @returns {{ data: Float32Array, shape: [rows: number, columns: number] }}
 */
export function readMatrix(file) {
  const bytes = readFileSync(file);
  const wide = bytes[6] > 1; // format 2 and later have a longer length field
  const start = (wide ? 12 : 10) + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', 0, start);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header);
  if (!header.startsWith('\x93NUMPY') || !header.includes("'<f4'") || !shape) {
    throw new Error(`${file}: expected a float32 matrix in NumPy's format, got the header ${header}`);
  }
  const [rows, columns] = [Number(shape[1]), Number(shape[2])];
  const byColumn = header.includes("'fortran_order': True");
  const data = Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return bytes.readFloatLE(start + 4 * (byColumn ? column * rows + row : i));
  });
  return { data, shape: [rows, columns] };
}
