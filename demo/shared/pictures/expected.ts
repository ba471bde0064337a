// What somebody knows of a line before it is read.

export interface Expected {
  /** Signs that may occur, beside spaces: digits, Latin letters, or these. Undefined: all. */
  readonly signs: 'digits' | 'letters' | { readonly these: string } | undefined;
  /** Words that may occur; none: all. */
  readonly words: readonly string[];
  /** Whether others may, too, less readily. */
  readonly others: boolean;
}

/** Whether a class may occur that reads as `token`. */
export function admits({ signs }: Expected, token: string): boolean {
  const own = token.trim();
  if (signs === undefined || own === '') return true;
  if (signs === 'digits') return /^[0-9]$/.test(own);
  if (signs === 'letters') return /^\p{Script=Latin}$/u.test(own);
  return signs.these.includes(own);
}
