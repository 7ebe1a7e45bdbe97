// What all commands that change a host share: the reason, the question before, the wait after.

import type { CommandId, CommandRecord } from '@foreshadow/model';
import { CodedError } from '@foreshadow/runtime';
import { exitCodeOfOutcome, type ExitCode } from '../exit-codes.ts';
import { duration } from '../human.ts';
import { hint, show, type Session } from '../session.ts';
import { paintOf } from '../style.ts';
import { printable } from '../table.ts';

export const COMMAND_WAIT_MS_MAX = 120_000;
const COMMAND_POLL_MS = 200;
const REQUESTER_LENGTH_MAX = 64;

export interface ChangeOptions {
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
}

/** @returns the text that the ledger will carry for this person */
export function requesterOf(session: Session): string {
  const { USER: user, LOGNAME: name } = session.terminal.environment;
  return `cli:${user || name || 'unknown'}`.slice(0, REQUESTER_LENGTH_MAX);
}

/**
 * @returns the reason
 * @throws CodedError REASON_REQUIRED where there is none and nobody to ask
 */
export async function reasonOf(session: Session, options: ChangeOptions): Promise<string> {
  if (options.reason !== undefined && options.reason.trim() !== '') return options.reason;
  if (options.dryRun === true) return 'dry run';
  const typed = session.terminal.isInTerminal
    ? (await session.terminal.ask('Reason, for the ledger: ')).trim()
    : '';
  if (typed !== '') return typed;
  throw new CodedError(
    'REASON_REQUIRED',
    'a change needs a reason, for the ledger: add --reason "…"',
  );
}

/**
 * Asks a person; a program must have said --yes.
 * @throws CodedError CONFIRMATION_REQUIRED, DECLINED
 */
export async function confirm(
  session: Session,
  options: ChangeOptions,
  question: string,
): Promise<void> {
  if (options.dryRun === true || options.yes === true) return;
  if (!session.terminal.isInTerminal) {
    throw new CodedError(
      'CONFIRMATION_REQUIRED',
      'nobody is here to confirm the change: add --yes, or look first with --dry-run',
    );
  }
  const typed = await session.terminal.ask(`${printable(question)} [y/N] `);
  if (!/^y(es)?$/i.test(typed.trim()))
    throw new CodedError('DECLINED', 'nothing was changed: the question was not answered with yes');
}

/**
 * Waits for the end of a command.
 * @throws CodedError COMMAND_NOT_ENDED
 */
export async function untilEnded(session: Session, sent: CommandRecord): Promise<CommandRecord> {
  const { client, clock, terminal } = session;
  const startedMs = clock.monotonicMs();
  let record = sent;
  while (record.state !== 'ended') {
    if (clock.monotonicMs() - startedMs > COMMAND_WAIT_MS_MAX) throw notEnded(record.command.id);
    await clock.sleep(COMMAND_POLL_MS, terminal.stop);
    record = await client.command(record.command.id);
  }
  return record;
}

function notEnded(id: CommandId): CodedError {
  return new CodedError(
    'COMMAND_NOT_ENDED',
    `${id} has no outcome after ${duration(COMMAND_WAIT_MS_MAX)}; ask again with "foreshadow incident list" or GET /api/v1/commands/${id}`,
  );
}

/** Prints what became of a command. @returns its exit code */
export function showOutcome(session: Session, record: CommandRecord): ExitCode | undefined {
  const { outcome, command } = record;
  show(session, record, () => drawOutcome(session, record) + drawNext(record));
  if (outcome === undefined) return undefined;
  if (outcome.kind === 'done' && command.isDryRun)
    hint(session, 'Nothing was changed: this was a dry run.');
  return exitCodeOfOutcome(outcome);
}

/** Without its id a command can be neither found nor undone. */
function drawNext({ command, outcome }: CommandRecord): string {
  const isUndoable =
    outcome?.kind === 'done' && command.order.kind === 'restore' && !command.isDryRun;
  const next = isUndoable ? `Next: foreshadow undo ${command.id} --reason "…"\n` : '';
  return `command ${command.id}\n${next}`;
}

export function drawOutcome(session: Session, { command, outcome }: CommandRecord): string {
  const word = outcome?.kind ?? 'unknown';
  const code = outcome !== undefined && 'code' in outcome ? ` ${outcome.code}` : '';
  const took = outcome?.kind === 'done' ? ` (${duration(outcome.tookMs)})` : '';
  const told = printable(`${code}  ${command.host}: ${outcome?.sentence ?? ''}${took}`);
  return `${session.style(word, paintOf(word))}${told}\n`;
}
