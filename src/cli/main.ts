#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as align from './align-command.js';
import * as completion from './completion-command.js';
import * as decode from './decode-command.js';
import { exitCode, UsageError } from './failure.js';
import * as info from './info-command.js';
import * as lm from './lm-command.js';
import * as loss from './loss-command.js';
import { nearest } from './nearest.js';
import { print, say } from './printable.js';
import * as rank from './rank-command.js';

interface Command {
  readonly usage: string;
  readonly help: string;
  run(argv: string[], signal: AbortSignal): Promise<number>;
}

const commands = new Map<string, Command>(Object.entries({ loss, align, decode, rank, lm, info }));
commands.set('completion', { ...completion, run: completion.completionOf(commands) });

const usage = [...commands.values()]
  .map(({ usage }) => usage)
  .join('\n')
  .replace(/(?<!^)usage: /g, '       ');

const help = `${usage}

loss    CTC loss and gradient, of case files or of tensors
align   when each word of a text was spoken, as subtitles, TextGrid, CTM or JSON
decode  what was spoken, with a language model, a lexicon and hotwords if you like
rank    which of many texts was spoken, if any
lm      n-gram language models: compact files of them, scores of sentences, and how much they should count
info    the WebGPU adapter with its features and limits, or why there is none and what to do
completion  a script with which the shell completes commands, options and files

webgpu-ctc COMMAND --help says more.`;

const argv = process.argv.slice(2);
const [name, ...rest] = argv;
const command = commands.get(name!);
const wantsHelp = argv.includes('--help') || argv.includes('-h');

/** What ends the program before it is done, with an exit code of its own for each, as the shell has it. */
interface End {
  readonly code: number;
  readonly message: string;
  /** Whether stdout is gone. */
  readonly isMute: boolean;
}
let end: End | undefined;
let isDone = false;
const interrupt = new AbortController();

function stop(code: number, message: string, isMute = false): void {
  if (end) return;
  end = { code, message, isMute };
  interrupt.abort(message);
  // what was written last may fail last
  if (isDone) process.exitCode = report(undefined);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => stop(code, `interrupted by ${signal}`));

// nobody hears that stderr is gone, and the work goes on
process.stderr.on('error', () => {});
// 141 is what the shell has for SIGPIPE, which Node does not die of
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  error.code === 'EPIPE'
    ? stop(141, 'stdout: expected a reader until the end, got one that left (| head)', true)
    : stop(2, `stdout: ${error.message}`, true),
);

async function main(): Promise<number> {
  if (wantsHelp) {
    print(command?.help ?? help);
    return 0;
  }
  if (argv.includes('--version')) {
    print(JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')).version);
    return 0;
  }
  if (!command) {
    const meant = nearest(name ?? '', [...commands.keys()]);
    throw new UsageError(
      `expected a command, ${[...commands.keys()].join(', ').replace(/, (\w+)$/, ' or $1')}, got ${name ? `'${name}'` : 'none'}` +
        (meant ? `; did you mean ${meant}?` : ''),
    );
  }
  return command.run(rest, interrupt.signal);
}

function report(error: unknown): number {
  const code = end?.code ?? exitCode(error);
  const message = end?.message ?? (error instanceof Error ? error.message : String(error));
  if (argv.includes('--json') && !end?.isMute)
    print(JSON.stringify({ status: 'failed', exit: code, error: message }));
  else if (code === 1) say(`webgpu-ctc: internal error: ${error instanceof Error ? error.stack : error}`);
  else say(`webgpu-ctc: ${message}${error instanceof UsageError ? `\n\n${command?.usage ?? usage}` : ''}`);
  // what is still running on the device need not end first
  if (end) process.exit(code);
  return code;
}

const code = await main().catch(report);
isDone = true;
process.exitCode = end ? report(undefined) : code;
