// Emissions such as a recogniser gives for a word, made up: nobody needs a model to see what CTC does.

import { mulberry32 } from '../../../learning/random.js';

export const letters = 'abcdefghijklmnopqrstuvwxyz';
/** Class 0 is the blank, 1 to 26 are the letters. */
export const letterClasses = letters.length + 1;

const alike = ['aeiouy', 'bp', 'dt', 'ckgq', 'fv', 'sz', 'mn', 'lr', 'ij', 'uw', 'xs', 'ht'];

/**
 * Logits [frames, letterClasses]: each letter peaks for some frames, more of the blank between two that are the same; letters
 * that sound alike are never far behind. The same word always sounds the same.
 */
export function logitsOf(word: string, frames: number): Float32Array<ArrayBuffer> {
  const random = seeded(word);
  const logits = Float32Array.from({ length: frames * letterClasses }, () => 1.5 * random());
  const margin = 0.5;
  for (let t = 0; t < frames; t++) {
    // a letter for each stretch of the frames, and half a stretch of silence at either end
    const place = ((t + 0.5) / frames) * (word.length + 2 * margin) - margin;
    const i = Math.floor(place);
    const letter = word[i];
    const off = Math.abs(place - i - 0.5);
    const twin = letter !== undefined && (place - i > 0.5 ? word[i + 1] : word[i - 1]) === letter;
    const strength = letter ? Math.max(0, 1 - off * (twin ? 2.6 : 1.5)) : 0;
    logits[t * letterClasses] += 6.5 * (1 - strength);
    if (!letter) continue;
    logits[t * letterClasses + classOf(letter)] += 2 + 5.5 * strength;
    for (const group of alike) {
      if (!group.includes(letter)) continue;
      for (const other of group.replace(letter, ''))
        logits[t * letterClasses + classOf(other)] += 3 * strength;
    }
  }
  return logits;
}

export const classOf = (letter: string): number => letters.indexOf(letter) + 1;

/** Logits and labels of a lattice too wide to look at as a whole: labels one after another, at a pace that wavers. */
export function wideProblem(
  frames: number,
  labels: number,
): { logits: Float32Array<ArrayBuffer>; text: string } {
  const random = seeded('wide');
  const text = Array.from({ length: labels }, () => letters[Math.floor(26 * random())]).join('');
  const logits = Float32Array.from({ length: frames * letterClasses }, () => 2 * random());
  for (let t = 0; t < frames; t++) {
    const wavering = 0.012 * Math.sin((9 * t) / frames);
    const place = (t / frames + wavering) * labels;
    const letter = text[Math.floor(place)];
    const strength = Math.max(0, 1 - 2.2 * Math.abs((place % 1) - 0.5));
    logits[t * letterClasses] += 5 * (1 - strength);
    if (letter) logits[t * letterClasses + classOf(letter)] += 6 * strength;
  }
  return { logits, text };
}

/** Uniform in [0, 1), seeded by a word (mulberry32). */
function seeded(word: string): () => number {
  return mulberry32([...word].reduce((seed, letter) => Math.imul(seed, 31) + letter.charCodeAt(0), 7));
}
