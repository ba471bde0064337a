// The visitor's own voice. What the recogniser can make of it is said before the microphone is asked for.
import { byId, make } from '../../shared/dom.js';
import { decode, sampleRate } from './decode.js';
import { writeWav } from './wav.js';
import './recorder.css';

/** Seconds. */
const [shortest, longest] = [0.3, 60];
/** Of a sample, below which all is silence. */
const leastLoud = 1e-3;

/** Why a browser gives no microphone, by the names of its errors. */
const refusals: Readonly<Record<string, string>> = {
  NotAllowedError:
    'The microphone was not given to this page, and that is fine: a file of sound does as well, by Open files. Should you change your mind, the browser’s settings for this page have it.',
  NotFoundError: 'No microphone was found. A file of sound does as well, by Open files.',
  NotReadableError: 'The microphone could not be opened: another program may have it.',
};

/**
 * Shows a card that records. `model`: the name of a recogniser of the visitor's own.
 *
 * @returns the sound; undefined where it is not wanted any more
 */
export function record(model: string | undefined): Promise<File | undefined> {
  return new Promise((resolve) => {
    const recorder = new Recorder(model, (sound) => {
      byId('data').querySelector('button')!.focus();
      resolve(sound);
    });
    recorder.open();
  });
}

class Recorder {
  readonly #card = make('section', { className: 'recorder', ariaLabel: 'Record' });
  readonly #model: string | undefined;
  readonly #done: (sound: File | undefined) => void;
  /** Gives the microphone back; once. */
  #release = () => {};
  #isOpen = true;

  constructor(model: string | undefined, done: (sound: File | undefined) => void) {
    this.#model = model;
    this.#done = done;
    this.#card.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#close());
  }

  open(): void {
    document.body.append(this.#card);
    const can = make(
      'p',
      {},
      this.#model
        ? `${this.#model} will read it, at 16 kHz.`
        : 'The small recogniser of this page knows some 600 words of three synthetic English voices. It will often misread yours: that is worth looking at.',
    );
    this.#show(
      [
        make('h2', {}, 'Record your voice'),
        can,
        ...(this.#model ? [] : [about()]),
        make('p', {}, 'At most a minute. It stays on this machine.'),
      ],
      ['Start', () => this.#start()],
      ['Cancel', () => this.#close()],
    );
  }

  #show(content: HTMLElement[], ...actions: (readonly [name: string, run: () => void])[]): void {
    const buttons = actions.map(([name, onclick]) => make('button', { onclick }, name));
    this.#card.replaceChildren(...content, make('div', { className: 'buttons' }, ...buttons));
    buttons[0]?.focus();
  }

  #giveBack(): void {
    const release = this.#release;
    this.#release = () => {};
    release();
  }

  #close(sound?: File): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#giveBack();
    this.#card.remove();
    this.#done(sound);
  }

  async #start(): Promise<void> {
    this.#show(
      [make('p', { role: 'status' }, 'Waiting for the microphone …')],
      ['Cancel', () => this.#close()],
    );
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        // as it is: what cleans a voice for people changes it for a recogniser
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false },
      });
      this.#release = () => {
        for (const track of stream.getTracks()) track.stop();
      };
      // it may have been given after all was cancelled
      if (!this.#isOpen) this.#giveBack();
      else await this.#record(stream);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #record(stream: MediaStream): Promise<void> {
    const context = new AudioContext();
    const recorder = new MediaRecorder(stream);
    const chunks: Blob[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      recorder.onstop = () => resolve();
      recorder.onerror = () => reject(new Error('the recording broke off'));
    });
    recorder.ondataavailable = ({ data }) => chunks.push(data);
    const stop = () => recorder.state !== 'inactive' && recorder.stop();
    const release = this.#release;
    let drawing = 0;
    this.#release = () => {
      cancelAnimationFrame(drawing);
      stop();
      release();
      context.close();
    };
    const time = make('output', { ariaLabel: 'Time' });
    const level = make('meter', { min: 0, max: 1, ariaLabel: 'Level' });
    this.#show(
      [make('p', { className: 'level' }, make('b', {}, 'Recording'), time, level)],
      ['Stop', stop],
      ['Cancel', () => this.#close()],
    );
    // a microphone that is unplugged ends it, too
    stream.getAudioTracks()[0]?.addEventListener('ended', stop);
    const loudness = levelOf(context, stream);
    const start = performance.now();
    const draw = () => {
      const seconds = (performance.now() - start) / 1000;
      time.value = `${clock(seconds)} of ${clock(longest)}`;
      level.value = loudness();
      if (seconds >= longest) stop();
      drawing = requestAnimationFrame(draw);
    };
    recorder.start();
    draw();
    await ended;
    if (!this.#isOpen) return;
    this.#giveBack();
    const samples = await decode(new File(chunks, 'recording'));
    this.#close(soundOf(samples));
  }

  #fail(error: Error): void {
    this.#giveBack();
    if (!this.#isOpen) return;
    const isMissing = !navigator.mediaDevices;
    const said = isMissing
      ? 'This browser gives its microphone to pages alone that come over https.'
      : (refusals[error.name] ?? `This could not be recorded: ${error.message}.`);
    const again = ['Try again', () => this.#start()] as const;
    this.#show([make('p', { role: 'alert' }, said)], ...(isMissing ? [] : [again]), [
      'Close',
      () => this.#close(),
    ]);
  }
}

/** @throws RangeError for what nobody has said anything in. */
function soundOf(samples: Float32Array): File {
  if (samples.length < shortest * sampleRate)
    throw new RangeError(`expected at least ${shortest} s, got ${(samples.length / sampleRate).toFixed(1)}`);
  if (samples.every((x) => Math.abs(x) < leastLoud))
    throw new RangeError('expected a voice, got silence; is it the right microphone?');
  return new File([writeWav(samples, sampleRate)], 'recording.wav', { type: 'audio/wav' });
}

/** How loud it is now, from 0 to 1, as a meter shows it: by its decibels, from −60 to 0. */
function levelOf(context: AudioContext, stream: MediaStream): () => number {
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const heard = new Float32Array(analyser.fftSize);
  return () => {
    analyser.getFloatTimeDomainData(heard);
    const power = heard.reduce((sum, x) => sum + x * x, 0) / heard.length;
    return Math.max(0, Math.min(1, 1 + (10 * Math.log10(power + 1e-12)) / 60));
  };
}

const clock = (seconds: number) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

function about(): HTMLElement {
  const list = [
    'It reads clear English sentences such as those of the examples, letter by letter, a frame every 20 ms.',
    'It does not know other languages, names and numbers, noise, or several people at once; of words that it has never heard it writes what they sound like to it.',
    'A wrong reading shows in the lattice: spell what you said, and see where its path has to pass symbols that were not heard. An ONNX model of your own does as well: open it first.',
  ];
  return make(
    'details',
    {},
    make('summary', {}, 'What it can, and what it cannot'),
    make('ul', {}, ...list.map((text) => make('li', {}, text))),
  );
}
