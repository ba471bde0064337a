/**
 * In place of a class, among the targets of an alignment and in its path: whatever is said there. It has the score of the best class of each
 * frame less 0.02, or less 0.01 where that is the blank.
 */
export const STAR = -2;

/**
 * How far the star is below the best class of a frame: 0.01 below the blank, since it must pass through the silence between the words that it
 * stands for, yet leave the silence at its ends to the blank; 0.02 below another class, so that it takes no frame from one that is right.
 */
export const belowBest = (isBlankBest: boolean): number => (isBlankBest ? 0.01 : 0.02);
