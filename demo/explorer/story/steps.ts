// What the story says in each step, and what is seen meanwhile.
import { make } from '../../shared/dom.js';
import type { State } from '../state/state.js';

export interface Step {
  readonly title: string;
  readonly says: readonly (Node | string)[];
  readonly shows: Partial<State>;
  /** Whether something moves. */
  readonly plays?: boolean;
}

const link = (href: string, text: string) => make('a', { href }, text);
const strong = (text: string) => make('b', {}, text);

/** Made anew each time: a node can be in one place only. */
export const stepsOf = (): readonly Step[] => [
  {
    title: 'Frames, and what is heard',
    says: [
      'A recording is cut into ',
      strong('frames'),
      ', here twelve. For each frame a recogniser says how likely each letter is, in the rows at the top; a column adds up to 100 %. Dark is likely. Nobody has told it where a letter begins.',
    ],
    shows: { layer: 'probability', panel: 'state', bestPath: false },
    plays: true,
  },
  {
    title: 'All the ways to say it',
    says: [
      'A ',
      strong('path'),
      ' says one symbol in each frame. Merge the symbols that repeat, drop the blanks, and the path reads hello. There are 8,008 such paths. ',
      strong('Connectionist Temporal Classification'),
      ', CTC, adds up the probabilities of all of them: the path mass. Below is the lattice of all paths, a column a frame (',
      link('https://www.cs.toronto.edu/~graves/icml_2006.pdf', 'Graves et al. 2006'),
      '; with more pictures: ',
      link('https://distill.pub/2017/ctc/', 'Distill'),
      ').',
    ],
    shows: { panel: 'paths', bestPath: true },
    plays: true,
  },
  {
    title: 'Why there is a blank',
    says: [
      'The ',
      strong('blank'),
      ', –, says nothing. A recogniser rests on it where it hears no letter; and between two letters that are the same it has to, since without this gap the two l’s of hello would merge into one.',
    ],
    shows: { panel: 'state', bestPath: true, selected: { t: 7, s: 6 } },
  },
  {
    title: 'Forward and backward meet',
    says: [
      'Nobody has to list 8,008 paths. A sweep ',
      strong('forward'),
      ' sums all ways to come to a cell, a sweep ',
      strong('backward'),
      ' all ways to go on from it. Both multiplied, and divided by the sum of all paths, are the share of the path mass that passes through the cell. Watch: first forward, then back.',
    ],
    shows: { panel: 'state', layer: 'posterior', bestPath: true, selected: { t: 7, s: 6 } },
    plays: true,
  },
  {
    title: 'The loss, and its gradient',
    says: [
      'The ',
      strong('loss'),
      ' is −ln of the probability of all paths together. Its ',
      strong('gradient'),
      ' of a symbol in a frame is how likely the recogniser called it, minus the share of the paths that say it there. Violet is to become likelier, orange less likely; all rows of the blank are one symbol. One small step after another, that is how a network learns. In code it is a line:',
      make(
        'pre',
        { tabIndex: 0 },
        'F.ctc_loss(log_probs, targets, T, S)   # PyTorch\nawait ctc.run({ logits, targets });    // webgpu-ctc',
      ),
      link('./train.html', 'Watch a network learn to read with it'),
      '.',
    ],
    shows: { panel: 'loss', layer: 'gradient', bestPath: false },
  },
];
