/** Says on stderr how far the work is, if someone looks. */
export function progress(quiet: boolean): { show(text: string): void; end(): void } {
  const { stderr } = process;
  if (quiet || !stderr.isTTY) return { show() {}, end() {} };
  let shown = '';
  return {
    show(text) {
      if (text !== shown) stderr.write(`\r\x1b[K${text}`);
      shown = text;
    },
    end() {
      if (shown) stderr.write('\r\x1b[K');
      shown = '';
    },
  };
}
