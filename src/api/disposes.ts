/** `using` of the instances of a class, where the program has it. */
export function disposes({ prototype }: { readonly prototype: { destroy(): void } }): void {
  if (Symbol.dispose) Object.defineProperty(prototype, Symbol.dispose, { value: prototype.destroy });
}
