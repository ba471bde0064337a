/**
 * Text of a file's, harmless in a terminal: control characters, which could move the cursor or change what was written, become
 * escapes such as \u001b. Line breaks and tabs stay. JSON stays the same JSON.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (character) => {
    const code = character.codePointAt(0)!;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A line on stdout. */
export const print = (text: string) => console.log(printable(text));

/** A line on stderr. */
export const say = (text: string) => console.error(printable(text));
