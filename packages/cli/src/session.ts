// One run of one command: its options made ready, and the ways to print.

import { type Command, Option } from 'commander';
import { createClient, type Client } from '@foreshadow/client';
import { CodedError, type Clock } from '@foreshadow/runtime';
import type { ExitCode } from './exit-codes.ts';
import { duration } from './human.ts';
import { styleOf, type Style } from './style.ts';
import { drawTable, printable, type Cell, type Column } from './table.ts';
import type { Terminal } from './terminal.ts';

export const URL_DEFAULT = 'http://127.0.0.1:7470';
export const LIST_LIMIT_DEFAULT = 200;
export const LIST_LIMIT_MAX = 1_000;

export const formats = ['table', 'json', 'jsonl'] as const;
export type Format = (typeof formats)[number];

export interface Session {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly client: Client;
  readonly format: Format;
  readonly style: Style;
}

/**
 * Wraps a command's handler: it gets a session before its arguments and may return an exit code.
 */
export type Act = <Args extends unknown[]>(
  handle: (session: Session, ...given: Args) => Promise<ExitCode | undefined>,
) => (...given: [...Args, Command]) => Promise<void>;

export function createAct(terminal: Terminal, ended: (code: ExitCode) => void): Act {
  return <Args extends unknown[]>(
    handle: (session: Session, ...given: Args) => Promise<ExitCode | undefined>,
  ) =>
    async (...given: [...Args, Command]) => {
      const command = given.at(-1) as Command; // Commander passes the command last.
      const args = given.slice(0, -1) as unknown[] as Args; // What is left are the handler's own.
      const code = await handle(openSession(terminal, command.optsWithGlobals()), ...args);
      if (code !== undefined) ended(code);
    };
}

function openSession(
  terminal: Terminal,
  options: { readonly url?: string; readonly output?: Format },
): Session {
  const url = options.url ?? (terminal.environment['FORESHADOW_URL'] || URL_DEFAULT);
  const { clock } = terminal;
  return {
    terminal,
    clock,
    client: createClient({ url, clock, fetch: terminal.fetch, signal: terminal.stop }),
    format: options.output ?? 'table',
    style: styleOf(terminal),
  };
}

/** Prints a value as JSON, or the table that `draw` makes of it. */
export function show<Value>(session: Session, value: Value, draw: (value: Value) => string): void {
  if (session.format === 'table') session.terminal.writeOut(draw(value));
  else if (session.format === 'json')
    session.terminal.writeOut(`${JSON.stringify(value, undefined, 2)}\n`);
  else session.terminal.writeOut(`${JSON.stringify(value)}\n`);
}

/**
 * Prints a page: whole as JSON, item by item as JSON lines, or as a table, or `empty`, where there
 * is such a hint, for one without items.
 */
export function showPage<Item>(
  session: Session,
  page: { readonly items: readonly Item[]; readonly nextCursor?: string },
  options: { readonly draw: (items: readonly Item[]) => string; readonly empty?: string },
): void {
  if (session.format === 'jsonl') {
    for (const item of page.items) session.terminal.writeOut(`${JSON.stringify(item)}\n`);
  } else if (session.format === 'table' && page.items.length === 0 && options.empty !== undefined) {
    hint(session, options.empty);
  } else show(session, page, ({ items }) => options.draw(items));
  if (page.nextCursor !== undefined && session.format !== 'json')
    hint(session, `There is more: --cursor ${page.nextCursor}`);
}

/** A remark for a person, on stderr and only where one looks. */
export function hint(session: Session, text: string): void {
  if (session.terminal.isErrorTerminal) session.terminal.writeError(`${printable(text)}\n`);
}

export function table(
  session: Session,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): string {
  return drawTable(columns, rows, {
    style: session.style,
    // Some terminals say 0, which is no width.
    widthMax: session.terminal.isOutTerminal ? session.terminal.columns() || undefined : undefined,
  });
}

/**
 * How long ago, by this machine's clock; hosts and controller may differ by a little, never shown
 * as negative.
 */
export function ago(session: Session, timeMs: number): string {
  return `${duration(Math.max(0, session.clock.nowMs() - timeMs))} ago`;
}

export interface Paging {
  readonly limit: number;
  readonly cursor?: string;
}

/** Adds `--limit` and `--cursor`. */
export function paged(command: Command): Command {
  return command
    .addOption(
      new Option('--limit <count>', `how many, 1 to ${LIST_LIMIT_MAX}`)
        .default(LIST_LIMIT_DEFAULT)
        .argParser(parseLimit),
    )
    .option('--cursor <cursor>', 'go on where the page before ended');
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIST_LIMIT_MAX) return limit;
  throw new CodedError('ARGUMENT_INVALID', `--limit takes 1 to ${LIST_LIMIT_MAX}, got ${text}`);
}

/** @returns only what the API's lists take */
export function pagingOf(options: Paging): Paging {
  const { limit, cursor } = options;
  return cursor === undefined ? { limit } : { limit, cursor };
}

/** Ends a command's help with lines to copy. */
export function withExamples(command: Command, lines: readonly string[]): Command {
  const shown = lines.map((line) => `  $ ${line}`).join('\n');
  return command.addHelpText('after', `\nExamples:\n${shown}`);
}
