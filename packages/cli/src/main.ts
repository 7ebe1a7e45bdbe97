// The process behind the command line: the only file here that touches it.

import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { newIdentifier, stopSignal, systemClock } from '@foreshadow/runtime';
import { exitCodes, runCli, type Terminal } from './index.ts';

const { stdin, stdout, stderr } = process;

const terminal: Terminal = {
  environment: process.env,
  isOutTerminal: isatty(stdout.fd),
  isErrorTerminal: isatty(stderr.fd),
  isInTerminal: isatty(stdin.fd),
  columns: () => (isatty(stdout.fd) ? stdout.columns : undefined),
  writeOut: (text) => void stdout.write(text),
  writeError: (text) => void stderr.write(text),
  ask: async (question) => {
    const lines = createInterface({ input: stdin, output: stderr });
    try {
      return await lines.question(question, { signal: terminal.stop });
    } finally {
      lines.close();
    }
  },
  clock: systemClock,
  fetch: globalThis.fetch,
  newKey: () => newIdentifier('key'),
  stop: stopSignal(),
};

// A reader such as `head` may leave early; that is no error of ours.
stdout.on('error', () => process.exit(exitCodes.ok));
process.exitCode = await runCli(process.argv.slice(2), terminal);
