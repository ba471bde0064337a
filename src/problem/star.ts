/**
 * In place of a class, among the targets of an alignment and in its path: whatever is said there. It has the score of the best class of each
 * frame less 0.02, or less 0.01 where that is the blank.
 */
export const STAR = -2;
