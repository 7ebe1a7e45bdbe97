// `known-good mark`: says that what is on a host now is what it may be restored to.

import type { Command } from 'commander';
import { parsePairId, type CommandRecord, type HostId } from '@foreshadow/model';
import { exitCodes, exitCodeOfOutcome, type ExitCode } from '../exit-codes.ts';
import { hostArgument } from '../arguments.ts';
import { showPage, withExamples, type Act, type Session } from '../session.ts';
import { drawOutcome, reasonOf, requesterOf, untilEnded } from './command.ts';

export function registerKnownGood(program: Command, act: Act): void {
  const knownGood = program
    .command('known-good')
    .description('Say which content of files is good, so that it can be restored.');
  const mark = knownGood
    .command('mark <host-or-pair>')
    .description(
      'Keep the present content of the restorable files of a host, or of both of a pair.',
    )
    .option('--reason <text>', 'why, for the ledger')
    .action(
      act(async (session, text: string, options: { readonly reason?: string }) => {
        const hosts = await hostsOf(session, text);
        const reason = await reasonOf(session, options);
        const records: CommandRecord[] = [];
        for (const host of hosts) records.push(await markHost(session, host, reason));
        const draw = (items: readonly CommandRecord[]): string =>
          items.map((record) => drawOutcome(session, record)).join('');
        showPage(session, { items: records }, { draw, empty: '' });
        return joined(records);
      }),
    );
  withExamples(mark, [
    'foreshadow known-good mark shop-production_shop-shadow --reason "after release 42"',
    'foreshadow known-good mark shop-shadow --reason "checked by hand"',
  ]);
}

async function hostsOf(session: Session, text: string): Promise<readonly HostId[]> {
  const pairId = parsePairId(text);
  if (pairId === undefined) return [hostArgument(text)];
  const { pair } = await session.client.pair(pairId);
  return [pair.production, pair.shadow];
}

async function markHost(session: Session, host: HostId, reason: string): Promise<CommandRecord> {
  const body = { reason, requestedBy: requesterOf(session) };
  const call = { idempotencyKey: session.terminal.newKey() };
  return untilEnded(session, await session.client.markKnownGood(host, body, call));
}

/** One code for all: that of the only outcome, or `partial` where some were done and some not. */
function joined(records: readonly CommandRecord[]): ExitCode {
  const codes = records.map(({ outcome }) =>
    outcome === undefined ? exitCodes.failure : exitCodeOfOutcome(outcome),
  );
  const bad = codes.find((code) => code !== exitCodes.ok);
  if (bad === undefined) return exitCodes.ok;
  return codes.includes(exitCodes.ok) ? exitCodes.partial : bad;
}
