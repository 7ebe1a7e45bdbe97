// Arguments to exit code: builds the program, runs one command, turns what is thrown into one line.

import { Command, Option } from 'commander';
import { codeOf } from '@foreshadow/runtime';
import { registerDiff } from './commands/diff.ts';
import { registerEvent } from './commands/event.ts';
import { registerHost } from './commands/host.ts';
import { registerIncident } from './commands/incident.ts';
import { registerKnownGood } from './commands/known-good.ts';
import { registerPair } from './commands/pair.ts';
import { registerRestore } from './commands/restore.ts';
import { registerStatus } from './commands/status.ts';
import { registerUndo } from './commands/undo.ts';
import { registerVersion } from './commands/version.ts';
import { registerDev } from './dev/index.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts';
import { URL_DEFAULT, createAct, formats } from './session.ts';
import { printable } from './table.ts';
import type { Terminal } from './terminal.ts';

const EXIT_HELP = `
Exit codes:
  0 done   1 failure   2 usage   3 not found   4 not allowed   5 conflict or refused
  6 timeout   7 done in part   10 drift found (diff --exit-code)   130 interrupted

Data goes to stdout, everything else to stderr. NO_COLOR and FORCE_COLOR are honoured.`;

/** @param words the arguments after the program's name */
export async function runCli(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  const program = createProgram(terminal, (given) => {
    code = given;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (terminal.stop.aborted) return exitCodes.interrupted;
    // Commander has written its own line already.
    if (!isCommanderError(error)) terminal.writeError(`${errorLine(error)}\n`);
    return exitCodeOf(error);
  }
}

function isCommanderError(error: unknown): boolean {
  return codeOf(error).startsWith('commander.');
}

function errorLine(error: unknown): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const advice =
    code === 'CONTROLLER_UNREACHABLE'
      ? '; start one with "foreshadow dev", or name another with --url or FORESHADOW_URL'
      : '';
  return printable(`error ${code}: ${message}${advice}`);
}

function createProgram(terminal: Terminal, ended: (code: ExitCode) => void): Command {
  const program = new Command('foreshadow')
    .description('Compares production hosts with their shadows, and puts drifted files back.')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(formats))
    .option('--url <url>', `the controller (FORESHADOW_URL, else ${URL_DEFAULT})`)
    .addHelpText('after', EXIT_HELP)
    .showHelpAfterError('(--help shows how)')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: terminal.writeOut,
      writeErr: terminal.writeError,
      getOutHelpWidth: () => terminal.columns() || HELP_WIDTH,
      getErrHelpWidth: () => terminal.columns() || HELP_WIDTH,
    });
  const act = createAct(terminal, ended);
  registerStatus(program, act);
  registerPair(program, act);
  registerHost(program, act);
  registerDiff(program, act);
  registerIncident(program, act);
  registerEvent(program, act);
  registerKnownGood(program, act);
  registerRestore(program, act);
  registerUndo(program, act);
  registerVersion(program, act);
  registerDev(program, act);
  return program;
}

const HELP_WIDTH = 80;
