import type { Known } from './known.js';

/** What suggests that a model and a vocabulary do not belong together. */
export function mismatch(known: Known, unspelled: readonly string[]): string[] {
  const { length } = unspelled;
  const some = unspelled.slice(0, 5).join(', ');
  const words = `${length} of ${known.lexicon?.words.length} words of the lexicon cannot be spelled, and are never read: ${some}`;
  return [...(length > 0 ? [`${words}${length > 5 ? ', …' : ''}`] : []), ...ofModel(known)];
}

function ofModel({ vocabulary, units, lm, lexicon }: Known): string[] {
  if (!lm || !vocabulary) return [];
  const { unknown, begin, end } = lm.tables;
  const reads = Array.from({ length: vocabulary.size }, (_, label) => vocabulary.read(label));
  const letters = [...new Set(reads.join(''))].filter((letter) => /\p{L}/u.test(letter));
  const texts = [...lm.words].flatMap(([word, id]) => ([unknown, begin, end].includes(id) ? [] : word));
  if (units === 'tokens') {
    const there = new Set(texts);
    const lacking = Array.from(
      { length: vocabulary.size },
      (_, label) => vocabulary.token(label) ?? '',
    ).filter(
      (token, label) =>
        label !== vocabulary.blank && label !== vocabulary.delimiter && token !== '' && !there.has(token),
    );
    const share = Math.round((100 * lacking.length) / Math.max(1, vocabulary.size - 1));
    return share < 50
      ? []
      : [
          `${share} % of the vocabulary's tokens are no words of the model: is it a model of words (units: 'words'), or of other tokens?`,
        ];
  }
  if (lexicon?.isSpelled) return [];
  const there = new Set(texts.flatMap((text) => [...text]));
  const lacking = letters.filter((letter) => !there.has(letter)).length;
  const share = Math.round((100 * lacking) / Math.max(1, letters.length));
  if (share >= 50)
    return [`${share} % of the vocabulary's letters occur in no word of the model: is it in the other case?`];
  const isOfLetters = texts.length > 1 && texts.every((text) => [...text].length === 1) && letters.length > 1;
  return isOfLetters
    ? ["every word of the model is a single letter: is it a model of tokens (units: 'tokens')?"]
    : [];
}
