#!/usr/bin/env node
import * as align from './cli/align.js';
import * as decode from './cli/decode.js';
import { exitCode, UsageError } from './cli/failure.js';
import * as info from './cli/info.js';
import * as loss from './cli/loss.js';

interface Command {
  readonly usage: string;
  readonly help: string;
  run(argv: string[], signal: AbortSignal): Promise<number>;
}

const commands = new Map<string, Command>(Object.entries({ loss, align, decode, info }));

const usage = [...commands.values()]
  .map(({ usage }) => usage)
  .join('\n')
  .replace(/(?<!^)usage: /g, '       ');

const help = `${usage}

loss    CTC loss and gradient, of case files or of tensors
align   when each word of a text was spoken, as subtitles, TextGrid, CTM or JSON
decode  what was spoken
info    the WebGPU adapter with its features and limits, or why there is none and what to do

webgpu-ctc COMMAND --help says more.`;

const argv = process.argv.slice(2);
const [name, ...rest] = argv;
const command = commands.get(name!);
const asked = argv.includes('--help') || argv.includes('-h');

/** An exit code of its own for each, as the shell has it. */
const signals = { SIGINT: 130, SIGTERM: 143 } as const;
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort(signal));

async function main(): Promise<number> {
  if (asked) {
    console.log(command?.help ?? help);
    return 0;
  }
  if (!command)
    throw new UsageError(
      `expected a command, ${[...commands.keys()].join(', ').replace(/, (\w+)$/, ' or $1')}, got ${name ? `'${name}'` : 'none'}`,
    );
  return command.run(rest, interrupt.signal);
}

function report(error: unknown): number {
  const { aborted, reason } = interrupt.signal;
  const code = aborted ? signals[reason as keyof typeof signals] : exitCode(error);
  const message = aborted ? `interrupted by ${reason}` : (error as Error).message;
  if (argv.includes('--json')) console.log(JSON.stringify({ status: 'failed', exit: code, error: message }));
  else if (code === 1) console.error('webgpu-ctc: internal error:', error);
  else console.error(`webgpu-ctc: ${message}${error instanceof UsageError ? `\n\n${usage}` : ''}`);
  // what is still running on the device need not end first
  if (aborted) process.exit(code);
  return code;
}

// the reader of a pipe may leave early (| head)
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await main().catch(report);
