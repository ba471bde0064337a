/** The one that was meant, if it differs in at most two letters that are added, left out, changed or swapped. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => [name, distance(given.toLowerCase(), name)] as const)
    .sort((a, b) => a[1] - b[1]);
  return best && best[1] <= Math.min(2, best[0].length - 2) ? best[0] : undefined;
}

/** Damerau and Levenshtein's, of letters that are swapped once. */
function distance(a: string, b: string): number {
  let [before, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, before[j - 2]! + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
