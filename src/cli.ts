#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { InputError } from './cli/case.js';
import { info } from './cli/info.js';
import { lossOf } from './cli/loss.js';
import { CtcError } from './errors.js';

const usage = `usage: webgpu-ctc loss CASE.json… [--reduction none|sum|mean] [--device auto|gpu|cpu] [--strategy auto|step|fused|tiled]
       webgpu-ctc info

loss   CTC loss and gradient of each case file, one JSON object per line on stdout:
       { "name", "loss", "grad", "device", "strategy" }. The file's keys: shape, logProbs, targets, and
       optionally name, targetsLayout, inputLengths, targetLengths, blank, zeroInfinity.
info   the WebGPU adapter with its features and limits, or why there is none and what to do

exit codes: 0 done, 1 an internal error, 2 wrong usage or input, 4 no WebGPU with --device gpu`;

const choices = {
  reduction: ['none', 'sum', 'mean'],
  device: ['auto', 'gpu', 'cpu'],
  strategy: ['auto', 'step', 'fused', 'tiled'],
} as const;

function choice<K extends keyof typeof choices>(name: K, value: string): (typeof choices)[K][number] {
  const found = choices[name].find((one) => one === value);
  if (!found)
    throw new InputError(`--${name}: expected ${choices[name].join(', ')}, got '${value}'\n\n${usage}`);
  return found;
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        reduction: { type: 'string', default: 'mean' },
        device: { type: 'string', default: 'auto' },
        strategy: { type: 'string', default: 'auto' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new InputError(`${(error as Error).message}\n\n${usage}`);
  }
}

async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  const [command, ...files] = positionals;
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (command === 'info') {
    if (argv.length > 1)
      throw new InputError(`info: expected nothing after it, got '${argv.slice(1).join(' ')}'\n\n${usage}`);
    console.log(await info());
    return 0;
  }
  if (command !== 'loss')
    throw new InputError(
      `expected a command, loss or info, got ${command ? `'${command}'` : 'none'}\n\n${usage}`,
    );
  if (files.length === 0) throw new InputError(`loss: expected case files, got none\n\n${usage}`);
  const options = {
    reduction: choice('reduction', values.reduction),
    device: choice('device', values.device),
    strategy: choice('strategy', values.strategy),
  };
  let code = 0;
  for (const file of files) {
    try {
      console.log(await lossOf(file, options));
    } catch (error) {
      // the other files are still worth their answer
      code = report(error);
      if (code !== 2) return code;
    }
  }
  return code;
}

function report(error: unknown): number {
  if (error instanceof InputError) {
    console.error(`webgpu-ctc: ${error.message}`);
    return 2;
  }
  if (error instanceof CtcError && error.code === 'no-webgpu') {
    console.error(`webgpu-ctc: ${error.message}`);
    return 4;
  }
  console.error('webgpu-ctc: internal error:', error);
  return 1;
}

// the reader of a pipe may leave early (| head)
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await main(process.argv.slice(2)).catch(report);
