import { Draft, named } from './draft.js';
import type { Limits, Plan, ProblemShape } from './plan.js';
import { cut } from './range.js';
import { bindable, splitMemory } from './split.js';
import type { Tuning } from './tuning.js';

/** What a search keeps, and what it knows. */
export interface Beam {
  /** Texts after each frame. */
  readonly width: number;
  /** Classes of each frame that are looked at, the likeliest. */
  readonly tokens: number;
  /** Texts of each sequence that come out. */
  readonly texts: number;
  /** Classes below this log-probability are not looked at, nor texts so far below the best; −1e30 for all. */
  readonly tokenLogProb: number;
  readonly beamLogProb: number;
  /** Words of the packed knowledge. */
  readonly knowledge: number;
  /** Whether words are spelled. */
  readonly spelled: boolean;
  /** Ways in which a class goes on where words are spelled, and how many words end in one node. */
  readonly choices: number;
  readonly exits: number;
}

/** Words of an entry and of a way in the shaders. */
export const entryWords = 28;
export const wayWords = 16;

/** The bits of a float32. */
const bitsOf = (value: number) => new Uint32Array(Float32Array.of(Math.max(value, -1e30)).buffer)[0]!;

/** @throws RangeError where a device cannot bind so many words of knowledge, with what would do. */
function checkRoom(words: number, limits: Limits): void {
  const most = bindable(limits);
  if (4 * words > most)
    throw new RangeError(
      `lm: expected knowledge of at most ${most} bytes, which this device can bind, got ${4 * words}; prune the model, or read on the CPU (device: 'cpu')`,
    );
}

/** Prefix beam search: of each frame its likeliest classes, the search, the texts that it ends with. */
export function planBeam(task: ProblemShape, limits: Limits, tuning: Tuning, beam: Beam): Plan {
  const { frames } = task;
  const { width, choices, knowledge } = beam;
  const tokens = Math.min(beam.tokens, task.classes);
  const names = width * tokens * choices;
  const entries = 1 + 2 * width * entryWords;
  const texts = Math.min(beam.texts, width * beam.exits);
  const { parts } = splitMemory(task, limits, tuning, {
    ...{ steps: 1, slice: () => 0, frames: Math.max(8 * frames * width, 4 * frames * tokens) },
    ...{ row: 4 * Math.max(names * wayWords, entries), elements: 1 },
  });
  const draft = new Draft(task, limits, tuning, false, {});
  checkRoom(knowledge, limits);
  draft.buffer('knowledge', 'word', knowledge);
  draft.result('labels', 'word', texts * frames, 'texts');
  draft.result('scores', 'float', texts, 'textTotals');
  draft.result('exits', 'word', texts, 'lastExits');
  // each barrier is dear on a software adapter
  const lanes = tuning.software ? tuning.rowWorkgroupSize : 2 * tuning.workgroupSize;
  const constants = {
    ...{ WORKGROUP: lanes, WIDTH: width, TOPS: tokens, TEXTS: texts },
    ...{ SPELLED: beam.spelled, LEAST_TEXT: bitsOf(beam.beamLogProb) },
    // one module, whatever the scores are
    ...{ SUBGROUPS: false, LOGITS: false, PROBS: false },
  };
  const results = named('texts', 'textTotals', 'lastExits');
  for (const part of draft.each(parts)) {
    const batch = part.end - part.first;
    const own = named(
      draft.buffer('topLabels', 'word', batch * frames * tokens),
      draft.buffer('topScores', 'float', batch * frames * tokens),
      draft.buffer('entries', 'word', batch * entries),
      draft.buffer('tree', 'word', 2 * batch * frames * width),
      draft.buffer('ways', 'word', batch * names * wayWords),
      draft.buffer('worths', 'float', batch * width * beam.exits),
    );
    const box = { frames: { first: 0, end: frames }, sequences: part };
    const fields = { firstSequence: part.first, count: batch, boxFrame: 0, boxEnd: frames };
    const ofPart = { targets: draft.targetsOf(part), knowledge: 'knowledge' };
    const tops = { topLabels: own.topLabels!, topScores: own.topScores! };
    draft.overRows(
      'prune',
      box,
      fields,
      { targets: ofPart.targets, ...tops },
      {
        ...{ READING: true, TOPS: tokens, LEAST_TOKEN: bitsOf(beam.tokenLogProb) },
      },
    );
    const segment = Math.min(frames, Math.max(1, Math.floor(tuning.elementsPerDispatch / (batch * names))));
    draft.dispatch(
      'beam',
      [1, batch],
      { ...fields, segment },
      { ...ofPart, ...tops, entries: own.entries!, tree: own.tree!, ways: own.ways! },
      batch * names * segment,
      {
        integers: { integer: 'step' },
        steps: { count: cut(frames, segment).length, descending: false },
        constants,
      },
    );
    draft.dispatch(
      'unwind',
      [1, batch],
      fields,
      { ...ofPart, ...results, entries: own.entries!, tree: own.tree!, worths: own.worths! },
      batch * texts * frames,
      { constants },
    );
  }
  return draft.plan('beam');
}
