// What the documents hold: blocks of code, each with the place where it says that it runs and with what it prints, and headings that links
// lead to. The tests run the blocks, the site shows them.

export interface Block {
  readonly line: number;
  /** What the line above it says: `In Node`, `In a page`. */
  readonly place: string | undefined;
  readonly language: string;
  readonly code: string;
  /** What it prints, where the page shows it: a block of text right behind it. `…` stands for anything. */
  shown?: string;
}

/** The blocks of a page, each with what it prints. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = page.split('\n');
  let end = -1; // of the block before
  for (let i = 0; i < lines.length; i++) {
    const language = /^```(.*)$/.exec(lines[i]!)?.[1];
    if (language === undefined) continue;
    const close = lines.indexOf('```', i + 1);
    const code = lines
      .slice(i + 1, close)
      .map((line) => `${line}\n`)
      .join('');
    const above = lines
      .slice(0, i)
      .filter((line) => line !== '')
      .at(-1);
    const place = /^\*(In .+):\*$/.exec(above ?? '')?.[1];
    const last = blocks.at(-1);
    if (language === 'text' && last && lines.slice(end + 1, i).every((line) => line === ''))
      last.shown = code;
    else blocks.push({ line: i + 1, place, language, code });
    i = end = close;
  }
  return blocks;
}

/** What a program imports. */
const importsOf = (code: string): string[] =>
  Array.from(code.matchAll(/^\s*(?:import|\} from) .*?'([^']+)';/gm), ([, name]) => name!);

/** Where a program can run, by what it imports. */
export function placeOf(code: string): string {
  const imported = importsOf(code);
  const has = (pattern: RegExp) => imported.some((name) => pattern.test(name));
  if (has(/^(node:.*|webgpu-ctc\/node)$/))
    return has(/^webgpu-ctc$/) ? 'nowhere: it imports both entries' : 'In Node';
  if (has(/^(?!webgpu-ctc(\/|$))/)) return 'In a page, through a bundler';
  return has(/^webgpu-ctc$/) ? 'In a page, through a bundler or an import map' : 'In Node or in a page';
}

/** The name of a file in what a block says of its place. */
export const fileIn = (place: string | undefined): string | undefined =>
  /^In a file `(.*)`$/.exec(place ?? '')?.[1];

/**
 * Whether a block runs on the site, and as what. A program for Node does if it imports nothing but the library: there `webgpu-ctc/node` is the
 * entry for pages, which has the same exports.
 */
export function liveKindOf({ language, place = '', code }: Block): 'page' | 'module' | undefined {
  if (language === 'html' && place === 'In a page') return 'page';
  if (language !== 'js') return undefined;
  if (/^In (Node or in a page|a page, through a bundler or an import map)$/.test(place)) return 'module';
  const isPortable = importsOf(code).every((name) => /^webgpu-ctc(\/(node|text|files|lm))?$/.test(name));
  return place === 'In Node' && isPortable ? 'module' : undefined;
}

/** What a block shows, as a pattern. `auto` leaves what a software GPU would do to the CPU: readers have another one. */
export function patternOf(shown: string): RegExp {
  const literal = shown
    .trim()
    .split('…')
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const pattern = literal.join('[\\s\\S]*').replace('on the gpu', 'on the (gpu|cpu)');
  return new RegExp(`^${pattern}$`);
}

export const withoutCode = (page: string): string => page.replace(/^```[\s\S]*?^```$/gm, '');

/** Where the links of a page lead, in its order. */
export const linksOf = (page: string): string[] =>
  Array.from(withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!);

/** Names headings as GitHub does: in lower case, hyphens for spaces, without punctuation, numbered where they repeat. */
export function anchorNames(): (heading: string) => string {
  const taken = new Set<string>();
  return (heading) => {
    const name = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = name;
    for (let i = 1; taken.has(anchor); i++) anchor = `${name}-${i}`;
    taken.add(anchor);
    return anchor;
  };
}

/** The anchors of the headings of a page. */
export function anchorsOf(page: string): Set<string> {
  const nameOf = anchorNames();
  return new Set(
    Array.from(withoutCode(page).matchAll(/^#{1,6} (.*)$/gm), ([, heading]) => nameOf(heading!)),
  );
}
