// What can be shown of a lattice.

export const layers = ['posterior', 'alpha', 'beta', 'probability', 'gradient', 'change'] as const;
/** `change`: the posterior less that of the scores before they were edited. */
export type Layer = (typeof layers)[number];

/** Has values on both sides of zero. */
export const isSigned = (layer: Layer): boolean => layer === 'gradient' || layer === 'change';
