// The process behind the command line: the only file here that touches it.

import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { newIdentifier, stopSignal, systemClock } from '@foreshadow/runtime';
import { exitCodes, runCli, type Terminal } from './index.ts';

const { stdin, stdout, stderr } = process;
const gone = new AbortController();

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
  stop: AbortSignal.any([stopSignal(['SIGINT', 'SIGTERM', 'SIGHUP']), gone.signal]),
};

// A reader such as `head` may leave early; that is no error of ours, but the end of what runs.
stdout.on('error', (error) => gone.abort(error));
// A closed terminal takes no last words; what runs is ended all the same.
stderr.on('error', (error) => gone.abort(error));
const code = await runCli(process.argv.slice(2), terminal);
process.exitCode = gone.signal.aborted ? exitCodes.ok : code;
