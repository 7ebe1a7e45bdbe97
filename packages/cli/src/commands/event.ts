// `event watch`: what the controller reports, as it happens.

import type { Command } from 'commander';
import { EVENTS_WAIT_MS_MAX, type NumberedEvent } from '@foreshadow/model';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { untilAnswered } from '../patience.ts';
import { hint, withExamples, type Act, type Session } from '../session.ts';
import { printable } from '../table.ts';

interface WatchOptions {
  readonly all?: boolean;
}

export function registerEvent(program: Command, act: Act): void {
  const event = program.command('event').description('Follow what the controller reports.');
  const watch = event
    .command('watch')
    .description('Print events as they come; as JSON lines where stdout is no terminal.')
    .option('--all', 'begin with the events that the controller still keeps')
    .action(act(async (session, options: WatchOptions) => watchEvents(session, options)));
  withExamples(watch, ['foreshadow event watch', 'foreshadow event watch --all | jq .event.type']);
}

/**
 * Ends only by the person, or by a refusal; a controller that was started anew numbers its events
 * anew, and tells all that it has.
 */
async function watchEvents(session: Session, options: WatchOptions): Promise<ExitCode> {
  const { client, terminal } = session;
  let after = options.all === true ? 0 : (await client.events({ after: 0, limit: 1 })).newest;
  while (!terminal.stop.aborted) {
    const query = { after, waitMs: EVENTS_WAIT_MS_MAX };
    const page = await untilAnswered(session, async () => client.events(query));
    if (page.missedCount > 0 && after > 0)
      hint(session, `${page.missedCount} events came faster than they were read and are missing.`);
    for (const item of page.items) terminal.writeOut(lineOf(session, item));
    after = page.items.at(-1)?.sequence ?? Math.min(after, page.newest);
  }
  return exitCodes.interrupted;
}

function lineOf(session: Session, item: NumberedEvent): string {
  if (session.format !== 'table' || !session.terminal.isOutTerminal)
    return `${JSON.stringify(item)}\n`;
  const { time, type, subject, data } = item.event;
  const name = type.replace(/^com\.foreshadow\./, '').replace(/\.v\d+$/, '');
  const isTold = typeof data === 'object' && data !== null && 'sentence' in data;
  const sentence = isTold ? String(data.sentence) : '';
  const told = printable(`${name}  ${subject}  ${sentence}`).trimEnd();
  return `${session.style(printable(time.slice(11, 19)), 'dim')}  ${told}\n`;
}
