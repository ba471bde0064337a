/** The float32 whose bits a constant of a kernel is. */
export function floatOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}
