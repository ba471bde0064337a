import { createHash } from 'node:crypto';
import { fileOf } from './emission-files.js';
import { InputError } from './failure.js';
import { type Given, inputKeys, type Job, plain } from './job.js';
import { placeOf } from './place.js';

/** Who a job of a manifest is: what was given as its `id`, or else its line, which is another job's even if the numbers are equal. */
export interface JobName {
  readonly id: string | number | undefined;
  readonly line: number;
}

export const numberOf = ({ id, line }: JobName) => id ?? line;

/** A short form, since a manifest may be long. */
const hash = (text: string) => createHash('sha256').update(text).digest().readBigUInt64LE();

/** Who does what. A queue may send the same again. */
const taskOf = (name: JobName, job: Job) =>
  hash(JSON.stringify([name.id === undefined ? { line: name.line } : { id: name.id }, job]));

/** Which files the jobs of a manifest read and write: none may be written that another writes, or that any reads. */
export class Claims {
  readonly #readers = new Map<bigint, string>();
  readonly #writers = new Map<bigint, { readonly number: string | number; readonly task: bigint }>();

  /** A file that is read, and who does. */
  read(path: string, reader: string): void {
    const place = hash(placeOf(path));
    if (!this.#readers.has(place)) this.#readers.set(place, reader);
  }

  /** All that a job writes. The first that writes a file has it. */
  write(name: JobName, job: Job): void {
    const number = numberOf(name);
    for (const output of job.outputs) {
      const place = hash(placeOf(output));
      if (!this.#writers.has(place)) this.#writers.set(place, { number, task: taskOf(name, job) });
    }
  }

  /** @throws InputError naming an output that is read, or is another job's. */
  check(name: JobName, job: Job): void {
    for (const output of job.outputs) {
      const place = hash(placeOf(output));
      const reader = this.#readers.get(place);
      if (reader !== undefined) throw new InputError(`output: ${output} is ${reader}`);
      const writer = this.#writers.get(place);
      if (writer && writer.task !== taskOf(name, job))
        throw new InputError(`output: ${output} is that of job ${writer.number}`);
    }
  }

  /** Of a job that comes after others were done. @throws InputError naming an input that one of them has written. */
  checkInputs(inputs: readonly Input[]): void {
    for (const [key, path] of inputs) {
      const writer = this.#writers.get(hash(placeOf(path)));
      if (writer) throw new InputError(`${key}: ${path} is the output of job ${writer.number}`);
    }
  }
}

/** A file that a job reads, and the key that names it. */
export type Input = readonly [key: string, path: string];

/**
 * The files that a job reads, by the key that names them; of a line with a mistake those that it means to read as far as it says
 * so, since it needs them once it is mended.
 *
 * @param job or what was given for one, with keys in any style
 * @param place where a path leads that was given
 */
export function inputsOf(job: Job | Given, place = (path: string) => path): Input[] {
  const tensor = job.tensor === undefined ? undefined : String(job.tensor);
  return Object.entries(job).flatMap(([name, path]): Input[] => {
    const key = inputKeys.find((known) => plain(known) === plain(name));
    if (key === undefined || typeof path !== 'string' || path === '') return [];
    return [[key, key === 'emissions' ? fileOf(place(path), tensor)[0] : place(path)]];
  });
}
