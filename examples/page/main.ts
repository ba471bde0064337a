// A page that aligns: emissions and a vocabulary from files, a text, and the words with their times.
import { CtcAligner } from 'webgpu-ctc';
import { emissionsOf, readTensor, writeTimedText } from 'webgpu-ctc/files';
import { type TimedWord, tokenise, Vocabulary, wordsOf } from 'webgpu-ctc/text';

const form = document.querySelector('form')!;
const status = document.querySelector('[role=status]')!;
const table = document.querySelector('table')!;
const save = document.querySelector<HTMLButtonElement>('button[type=button]')!;

// found once, while the visitor still chooses files
const ready = CtcAligner.create();

interface Given {
  readonly emissions: File;
  readonly vocabulary: File;
  readonly text: string;
  readonly blank: 'first' | 'last' | undefined;
  readonly frameSeconds: number;
}

interface Aligned {
  readonly words: readonly TimedWord[];
  /** Frames in which something else than the text is heard, and all. */
  readonly mismatched: number;
  readonly frames: number;
}

async function align({ emissions, vocabulary, text, blank, frameSeconds }: Given): Promise<Aligned> {
  const tensor = await readTensor(new Uint8Array(await emissions.arrayBuffer()), emissions.name);
  const { scores, classes, frames } = emissionsOf(tensor);
  // a list that does not fit the classes of the model is refused
  const known = Vocabulary.parse(await vocabulary.text(), { classes, blank });
  const transcript = tokenise(text, known);
  if (!transcript.spelled?.includes(true)) throw new Error('the vocabulary can spell no word of the text');
  const aligner = await ready;
  const path = await aligner.run({ ...scores, targets: transcript.targets, blank: known.blank });
  if (path.score === Number.NEGATIVE_INFINITY)
    throw new Error(`the text does not fit into ${frames} frames: is it that of this recording?`);
  const { words } = wordsOf(transcript, path, { frameSeconds });
  // the path goes through classes that the model holds for unlikely
  const mismatched = path.scores.filter((score) => score < Math.log(0.05)).length;
  return { words, mismatched, frames };
}

function show(words: readonly TimedWord[]): void {
  table.tBodies[0]!.replaceChildren(
    ...words.map(({ text, start, end, confidence, aligned }) => {
      const row = document.createElement('tr');
      const sure = aligned === false ? 'not spelled' : `${Math.round(100 * confidence)} %`;
      for (const cell of [start.toFixed(2), end.toFixed(2), text, sure]) row.insertCell().textContent = cell;
      return row;
    }),
  );
  save.onclick = () => download('words.srt', writeTimedText('words.srt', words));
  table.hidden = save.hidden = false;
}

function download(name: string, text: string): void {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.click();
  URL.revokeObjectURL(link.href);
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const given = new FormData(form);
  table.hidden = save.hidden = true;
  status.textContent = 'Aligning …';
  try {
    const { words, mismatched, frames } = await align({
      emissions: given.get('emissions') as File,
      vocabulary: given.get('vocabulary') as File,
      text: String(given.get('text')),
      blank: (given.get('blank') as 'first' | 'last' | '') || undefined,
      frameSeconds: Number(given.get('frameMs')) / 1000,
    });
    const { backend } = await ready;
    const many = words.length === 1 ? '1 word' : `${words.length} words`;
    const doubt = `. In ${mismatched} of ${frames} frames something else is heard: is this the text of the recording, and all of it?`;
    status.textContent = `${many}, on the ${backend.device}${10 * mismatched > frames ? doubt : ''}`;
    show(words);
    status.scrollIntoView({ block: 'start' });
  } catch (error) {
    // the messages of the library are made to be read
    status.textContent = (error as Error).message;
  }
});
