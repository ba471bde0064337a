/** Class 0 is the blank, 1 to 26 are the letters. */
export const classes = 27;
export const classOf = (letter: string): number => letter.charCodeAt(0) - 96;

const margin = 3;
const framesPerLetter = 5;

/** Frames of the longest word. */
export const framesOf = (letters: number): number => 2 * margin + letters * framesPerLetter;

const alike = ['aeiouy', 'bp', 'dt', 'ckgq', 'fv', 'sz', 'mn', 'lr', 'ij', 'uw', 'xs', 'ht'];

/**
 * Logits [frames, classes] such as a recogniser gives for a word: each letter peaks for some frames with the blank between,
 * letters that sound alike are never far behind. The same word always sounds the same.
 */
export function emissionsOf(word: string, frames: number): Float32Array {
  const random = generator(word);
  const logits = Float32Array.from({ length: frames * classes }, () => 2 * random());
  for (let t = 0; t < framesOf(word.length); t++) {
    const place = (t - margin) / framesPerLetter;
    const letter = word[Math.floor(place)];
    const strength = letter ? Math.sin(Math.PI * (place % 1)) : 0;
    logits[t * classes] += 10 - 8 * strength;
    if (!letter) continue;
    logits[t * classes + classOf(letter)] += 10 * strength;
    for (const group of alike) {
      if (!group.includes(letter)) continue;
      for (const other of group.replace(letter, ''))
        logits[t * classes + classOf(other)] += Math.max(0, 10 * strength - 4);
    }
  }
  return logits;
}

/** Uniform in [0, 1), seeded by the word (mulberry32). */
function generator(word: string): () => number {
  let state = [...word].reduce((seed, letter) => Math.imul(seed, 31) + letter.charCodeAt(0), 7);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
