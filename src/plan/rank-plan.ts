import { recordWords } from '../problem/targets.js';
import { type Draft, named } from './draft.js';
import type { ElementRange, Limits, Plan, ProblemShape } from './plan.js';
import { recordingsOf } from './plan.js';
import { count, type Range } from './range.js';
import type { Box } from './split.js';
import { sweepsFor } from './strategies.js';
import { type Hearing, planSweeps, sweepOver } from './sweeps-plan.js';
import type { Tuning } from './tuning.js';

/** More memory than this is not taken at once, even where a device would give it: candidates are many, and each is soon done. */
const mostBytes = 2 ** 26;

/**
 * The loss of each candidate, and the best class of each frame. What is looked at class by class, the rows of a recording, is
 * looked at once for all of its candidates. Each of those has emissions of its own labels, as many at a time as there is room for.
 */
export function planRank(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { frames, scores, candidates = 1 } = task;
  const hearing: Hearing = {
    most: mostBytes,
    hear(draft, { part, slice, box, fields, ofPart }) {
      const recordings = {
        first: Math.floor(part.first / candidates),
        end: Math.ceil(part.end / candidates),
      };
      const rows = scores === 'logits' ? count(recordings) * frames : 1;
      const emissions = { ...named('emissions'), heard: draft.buffer('heard', 'frame', rows) };
      // where a recording has several parts the first of them hears it
      if (part.first % candidates === 0) {
        draft.buffer('labelScores', 'float', recordingsOf(task) * frames);
        const own = {
          ...fields,
          firstSequence: recordings.first,
          recordWords: candidates * recordWords(task),
        };
        const targets = firstTargets(task, part, recordings);
        const whole = { ...box, sequences: recordings };
        if (scores === 'logits')
          draft.overRows('rows', whole, own, { targets, ...named('emissions'), frames: 'heard' });
        if (slice.first === 0)
          read(draft, { ...whole, frames: { first: 0, end: frames } }, own.recordWords, targets);
      }
      draft.overRows('rows', box, fields, { ...ofPart, ...emissions }, { CANDIDATES: true });
    },
  };
  const draft = sweepOver(task, limits, tuning, sweepsFor(task, tuning), undefined, hearing);
  const rowBytes = 4 * recordingsOf(task) * frames;
  draft.output('labels', {
    ...{ element: 'word', rows: 1, rowBytes, rowsPerBuffer: 1 },
    ...{ access: 'window', alignment: 256, buffer: draft.buffer('labels', 'word', rowBytes / 4) },
  });
  return draft.finish('rank', 'losses');
}

/** The records of the first candidate of each recording, which stand for it, and of those between. */
function firstTargets(task: ProblemShape, part: Range, recordings: Range): ElementRange {
  const words = recordWords(task);
  const { candidates = 1 } = task;
  const records = (count(recordings) - 1) * candidates + 1;
  return { buffer: 'targets', first: part.first * words, count: records * words };
}

/** The best class of each frame of some recordings. */
function read(draft: Draft, box: Box, recordWords: number, targets: ElementRange) {
  draft.overRows(
    'greedy',
    box,
    { firstSequence: box.sequences.first, recordWords },
    { targets, labels: { port: 'labels', firstRow: 0, rows: 1 }, ...named('labelScores') },
    { MIDDLE: false, READING: true },
  );
}

/** The losses of what was read, which may have a label for each frame: one of each recording. */
export function planRead(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { candidates: _, ...rest } = { ...task, maxTargetLength: task.frames };
  return planSweeps(rest, limits, tuning, sweepsFor(rest, tuning));
}
