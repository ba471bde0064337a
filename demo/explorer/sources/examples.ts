// What there is to look at before anybody brings their own.
import { Vocabulary } from 'webgpu-ctc/text';
import clip3Logits from '../../../fixtures/speech/clip3.logits.npy?url';
import clip3Sound from '../../../fixtures/speech/clip3.wav?url';
import clip4Logits from '../../../fixtures/speech/clip4.logits.npy?url';
import clip4Sound from '../../../fixtures/speech/clip4.wav?url';
import clip5Logits from '../../../fixtures/speech/clip5.logits.npy?url';
import clip5Sound from '../../../fixtures/speech/clip5.wav?url';
import speechVocabularyUrl from '../../../fixtures/speech/vocab.json?url';
import { download, type Progress, sayBytes } from '../../shared/download.js';
import { letterClasses, letters, logitsOf, wideProblem } from './made-up.js';
import type { Source, TextFile } from './source.js';

interface Example {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  open(loading: Loading): Source | Promise<Source>;
}

/** Who waits for what has to be downloaded. */
export interface Loading {
  readonly signal?: AbortSignal;
  /** What is going on, in words, and how much of it is done, from 0 to 1. */
  readonly say?: (what: string, share?: number) => void;
}

const alphabet = Vocabulary.from(['<blank>', ...letters]);

/** A word as a made-up recogniser hears it. */
export function heard(word: string, frames: number): Source {
  return {
    ...{ name: word, logits: logitsOf(word, frames), frames, classes: letterClasses },
    ...{ vocabulary: alphabet, text: word, heard: word },
  };
}

/** Of the recogniser of fixtures/speech: a frame every 20 ms. */
export const speechFrameSeconds = 0.02;

/** A spoken sentence: emissions of fixtures/speech. */
async function clip(
  { signal, say }: Loading,
  name: string,
  text: string,
  scores: string,
  sound: string,
): Promise<Source> {
  say?.('Loading the emissions …', 0);
  const counted = (progress: Progress) =>
    say?.(
      `Loading the emissions: ${sayBytes(progress)} …`,
      progress.total && progress.bytes / progress.total,
    );
  const [bytes, vocabulary, { emissionsOf, readTensor }] = await Promise.all([
    download(scores, { ...(signal && { signal }), counted }),
    speechVocabulary(),
    import('webgpu-ctc/files'),
  ]).catch((error: Error) => {
    throw new Error(`The example could not be loaded: ${error.message}`, { cause: error });
  });
  const tensor = await readTensor(bytes, name);
  const { data: logits, frames, classes } = emissionsOf(tensor, { kind: 'logits' });
  return {
    ...{ name, logits, frames, classes, vocabulary: Vocabulary.parse(vocabulary.text), text },
    ...{ frameSeconds: speechFrameSeconds, sound },
  };
}

/** Of fixtures/speech. */
export async function speechVocabulary(): Promise<TextFile> {
  return { name: 'vocab.json', text: new TextDecoder().decode(await download(speechVocabularyUrl)) };
}

const clips = [
  ['rabbit', 'hello hello little rabbit will you tell me all', clip4Logits, clip4Sound],
  ['dear', 'oh dear oh dear i shall be too late', clip3Logits, clip3Sound],
  ['score', 'four score and seven years ago our fathers brought forth a new nation', clip5Logits, clip5Sound],
] as const;

export const examples: readonly Example[] = [
  { id: 'cat', name: 'cat', about: 'Three letters, 8 frames', open: () => heard('cat', 8) },
  { id: 'hello', name: 'hello', about: 'A letter twice in a row, 12 frames', open: () => heard('hello', 12) },
  ...clips.map(([id, text, logits, sound]) => ({
    ...{
      id,
      name: `“${text.split(' ').slice(0, 4).join(' ')} …”`,
      about: 'A spoken sentence, with its sound',
    },
    open: (loading: Loading) => clip(loading, id, text, logits, sound),
  })),
  {
    ...{ id: 'wide', name: '2000 × 400', about: '2000 frames, 400 labels: 1.6 million states' },
    open() {
      const [frames, classes] = [2000, letterClasses];
      const { logits, text } = wideProblem(frames, 400);
      return { name: 'wide', logits, frames, classes, vocabulary: alphabet, text };
    },
  },
];

export const exampleIds = examples.map(({ id }) => id);
