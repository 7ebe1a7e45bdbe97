// `undo`: puts back what a restore replaced.

import type { Command } from 'commander';
import { commandArgument } from '../arguments.ts';
import { withExamples, type Act } from '../session.ts';
import { confirm, reasonOf, requesterOf, showOutcome, untilEnded } from './command.ts';
import type { ChangeOptions } from './command.ts';

export function registerUndo(program: Command, act: Act): void {
  const command = program
    .command('undo <command>')
    .description('Put back what a restore replaced, if nobody has changed it since.')
    .option('--dry-run', 'check everything and change nothing')
    .option('--reason <text>', 'why, for the ledger')
    .option('--yes', 'do not ask')
    .action(
      act(async (session, text: string, options: ChangeOptions) => {
        const id = commandArgument(text);
        const { command: done } = await session.client.command(id);
        const reason = await reasonOf(session, options);
        await confirm(session, options, `Undo ${id} on ${done.host}?`);
        const sent = await session.client.requestCommand(
          {
            host: done.host,
            order: { kind: 'undo', command: id },
            isDryRun: options.dryRun === true,
            reason,
            requestedBy: requesterOf(session),
          },
          { idempotencyKey: session.terminal.newKey() },
        );
        return showOutcome(session, await untilEnded(session, sent));
      }),
    );
  withExamples(command, [
    'foreshadow undo cmd-0123456789abcdef01234567 --reason "wrong file" --yes',
  ]);
}
