// In: the id of a restore. Out: the file with the content which that restore replaced.
// Never: overwrites what somebody has changed since the restore.

import type { UndoOrder } from '@foreshadow/model';
import { isRefusal, refuse } from '../refusal.ts';
import { resolveItem } from '../host-policy.ts';
import type { Transaction } from '../ledger.ts';
import type { ActuatorCommand } from './command.ts';
import { openExpected, refuseDisabled, replaceContent } from './replacement.ts';

export const undo: ActuatorCommand<UndoOrder, Transaction> = {
  name: 'undo',
  check: (order, context) => {
    const disabled = refuseDisabled(context.policy);
    if (disabled !== undefined) return disabled;
    const done = context.ledger.find(order.command);
    if (done === undefined)
      return refuse('COMMAND_UNKNOWN', `this host knows no command ${order.command} any more`);
    const replaced = done.transaction;
    if (done.state !== 'APPLIED' || replaced === undefined)
      return refuse('NOT_UNDOABLE', `${order.command} is no restore that was carried out`);
    const undoneBy = context.ledger.undoneBy(order.command);
    if (undoneBy !== undefined)
      return refuse('ALREADY_UNDONE', `${order.command} was undone by ${undoneBy}`);
    const path = resolveItem(context.policy, replaced.item);
    if (isRefusal(path)) return path;
    const transaction = {
      item: replaced.item,
      path,
      replacedDigest: replaced.writtenDigest,
      writtenDigest: replaced.replacedDigest,
      undoes: order.command,
    };
    const file = openExpected(transaction, context);
    if (isRefusal(file)) return file;
    file[Symbol.dispose]();
    return transaction;
  },
  run: replaceContent,
};
