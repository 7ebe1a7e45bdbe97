// `restore`: puts the drifted side's file back to the content of the other side.

import { type Command, Option } from 'commander';
import { itemKey, type Drift, type HostId, type PairId, type Side } from '@foreshadow/model';
import type { RestoreOrder } from '@foreshadow/model';
import { CodedError, nearest } from '@foreshadow/runtime';
import { pairArgument } from '../arguments.ts';
import { LIST_LIMIT_MAX, withExamples, type Act, type Session } from '../session.ts';
import { confirm, reasonOf, requesterOf, showOutcome, untilEnded } from './command.ts';
import type { ChangeOptions } from './command.ts';

interface RestoreOptions extends ChangeOptions {
  readonly side?: Side;
}

export function registerRestore(program: Command, act: Act): void {
  const command = program
    .command('restore <pair> <item>')
    .description("Put a drifted file back, from the host's own store of known-good content.")
    .addOption(
      new Option(
        '--side <side>',
        'the host to change; by default the shadow, if it departed',
      ).choices(['production', 'shadow']),
    )
    .option('--dry-run', 'check everything and change nothing')
    .option('--reason <text>', 'why, for the ledger')
    .option('--yes', 'do not ask')
    .action(
      act(async (session, text: string, item: string, options: RestoreOptions) => {
        const pair = pairArgument(text);
        const drift = await driftOf(session, pair, item);
        const side = sideOf(drift, options.side);
        const { pair: hosts } = await session.client.pair(pair);
        const host: HostId = hosts[side];
        const order = orderOf(drift, side);
        const reason = await reasonOf(session, options);
        await confirm(session, options, `Restore ${drift.name} on ${host} (${side})?`);
        const isDryRun = options.dryRun === true;
        const body = { host, order, isDryRun, reason, requestedBy: requesterOf(session) };
        const sent = await session.client.requestCommand(body, {
          idempotencyKey: session.terminal.newKey(),
        });
        return showOutcome(session, await untilEnded(session, sent));
      }),
    );
  withExamples(command, [
    'foreshadow restore shop-production_shop-shadow /etc/shop/service.json --dry-run',
    'foreshadow restore shop-production_shop-shadow /etc/shop/service.json --reason "edited by hand" --yes',
  ]);
}

/** @param item key of the item, or the path of a file */
async function driftOf(session: Session, pair: PairId, item: string): Promise<Drift> {
  const { items } = await session.client.drifts(pair, { limit: LIST_LIMIT_MAX });
  const found = items.find((drift) => drift.item === item || drift.item === itemKey('file', item));
  if (found !== undefined) return found;
  const close = nearest(
    item,
    items.map(({ name }) => name),
  );
  const help =
    close === undefined ? `"foreshadow diff ${pair}" lists what does` : `did you mean ${close}?`;
  throw new CodedError('DRIFT_NOT_FOUND', `${item} does not differ within ${pair}; ${help}`);
}

/** Production is never changed by default. @throws CodedError ARGUMENT_INVALID, SIDE_REQUIRED */
function sideOf(drift: Drift, given: Side | undefined): Side {
  if (given !== undefined) return given;
  if (drift.changedSide === 'shadow') return 'shadow';
  if (drift.changedSide === 'production') {
    throw new CodedError(
      'SIDE_REQUIRED',
      `${drift.item} departed on production, which is changed only when you say so: add --side production`,
    );
  }
  throw new CodedError(
    'ARGUMENT_INVALID',
    `${drift.item} never was the same on both hosts; say which is to change with --side`,
  );
}

function orderOf(drift: Drift, side: Side): RestoreOrder {
  const contents = {
    production: drift.productionFacts?.['content'],
    shadow: drift.shadowFacts?.['content'],
  };
  const expectedDigest = contents[side];
  const targetDigest = contents[side === 'production' ? 'shadow' : 'production'];
  if (expectedDigest !== undefined && targetDigest !== undefined)
    return { kind: 'restore', item: drift.item, expectedDigest, targetDigest };
  throw new CodedError(
    'RESTORE_NOT_POSSIBLE',
    `${drift.item} (${drift.difference}) cannot be restored: only the content of a file which both hosts have can`,
  );
}
