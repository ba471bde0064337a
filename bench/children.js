// Processes that answer requests. None outlives the bench, however that ends.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** @type {Set<import('node:child_process').ChildProcess>} */
const alive = new Set();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
  process.on(signal, () => process.exit(128 + number));

/** A process that answers a line of JSON with a line of JSON. */
export class Child {
  #process;
  #lines;
  #errors = '';

  /** @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
  constructor(command, args, env = process.env) {
    this.#process = spawn(command, args, { env, stdio: 'pipe' });
    alive.add(this.#process);
    this.#process.on('error', (error) => {
      this.#errors = error.message;
    });
    this.#process.on('exit', () => alive.delete(this.#process));
    this.#process.stdin.on('error', () => {}); // it has ended: `ask` says so
    this.#process.stderr.on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-1000);
    });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  /** @param {object} request @returns {Promise<any>} */
  async ask(request) {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    let unasked = ''; // Dawn prints errors that no one has caught
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`its process has ended: ${this.#errors.trim() || 'without a word'}`);
      if (!value.startsWith('{"')) {
        unasked += `${value} `;
        continue;
      }
      const { error = unasked, ...answer } = JSON.parse(value);
      if (error) throw new Error(error);
      return answer;
    }
  }

  end() {
    this.#process.kill('SIGKILL');
  }
}
