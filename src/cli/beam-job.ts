import { checkPath, choice, flag, integer, number, wrongOption } from './options.js';

/** What a job knows of the texts, and how far it looks for them. */
export interface BeamJob {
  /** A language model. */
  readonly lm?: string | undefined;
  readonly units?: 'words' | 'tokens' | undefined;
  /** A file of words, one a line. */
  readonly lexicon?: string | undefined;
  readonly openLexicon?: boolean | undefined;
  /** A file of phrases, one a line. */
  readonly hotwords?: string | undefined;
  readonly nbest?: number | undefined;
  readonly width?: number | undefined;
  readonly alpha?: number | undefined;
  readonly beta?: number | undefined;
  readonly unknown?: number | undefined;
}

/** In the order of `BeamJob`. */
export const beamOptions = {
  lm: { type: 'string' },
  units: { type: 'string' },
  lexicon: { type: 'string' },
  'open-lexicon': { type: 'boolean' },
  hotwords: { type: 'string' },
  nbest: { type: 'string' },
  width: { type: 'string' },
  alpha: { type: 'string' },
  beta: { type: 'string' },
  unknown: { type: 'string' },
} as const;

/** @param given as for a job, under the names that a manifest has. @throws InputError naming what is wrong. */
export function beamOf(given: Readonly<Record<string, unknown>>, named: (key: string) => string): BeamJob {
  const one = <T>(key: string, read: (name: string, value: unknown) => T) =>
    given[key] === undefined ? undefined : read(named(key), given[key]);
  const file = (expected: string) => (name: string, value: unknown) => {
    if (typeof value !== 'string' || value === '') throw wrongOption(name, expected, value);
    return checkPath(name, value);
  };
  const beams = (name: string, value: unknown) => integer(name, value, 1, 2048);
  return {
    lm: one('lm', file('a language model, such as model.lm or model.arpa.gz')),
    units: one('units', (name, value) => choice(name, value, ['words', 'tokens'])),
    lexicon: one('lexicon', file('a file of words, one a line')),
    openLexicon: one('openLexicon', flag),
    hotwords: one('hotwords', file('a file of phrases, one a line')),
    nbest: one('nbest', beams),
    width: one('width', beams),
    alpha: one('alpha', number),
    beta: one('beta', number),
    unknown: one('unknown', number),
  };
}

/** Whether a job asks for more than the best class of each frame. */
export const isBeam = (job: BeamJob) =>
  Object.keys(beamOf({}, String)).some((key) => job[key as keyof BeamJob] !== undefined);
