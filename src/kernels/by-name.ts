/** What a glob found, by file name without folder and ending. */
export function byName<T>(found: Readonly<Record<string, unknown>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(found).map(([path, it]) => [/(\w+)\.\w+$/.exec(path)![1]!, it as T]),
  );
}
