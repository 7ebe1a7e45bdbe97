// In: an item, the digest it must have now, and the digest of a known-good version. Out: the file
// with that version's content.
// Never: takes bytes from outside the host's own version store, or overwrites what differs from the
// expected.

import type { RestoreOrder } from '@foreshadow/model';
import { resolveItem } from '../host-policy.ts';
import type { Transaction } from '../ledger.ts';
import { isRefusal, refuse } from '../refusal.ts';
import type { ActuatorCommand } from './command.ts';
import { openExpected, refuseDisabled, replaceContent } from './replacement.ts';

export const restore: ActuatorCommand<RestoreOrder, Transaction> = {
  name: 'restore',
  check: (order, context) => {
    const { item, expectedDigest, targetDigest } = order;
    const disabled = refuseDisabled(context.policy);
    if (disabled !== undefined) return disabled;
    const path = resolveItem(context.policy, item);
    if (isRefusal(path)) return path;
    const version = context.versions.find(item, targetDigest);
    if (version === undefined) {
      return refuse(
        'VERSION_UNKNOWN',
        `${item} never had the content ${targetDigest} while known-good was marked here`,
      );
    }
    if (version.markedAtMs === undefined) {
      return refuse(
        'NOT_KNOWN_GOOD',
        `version ${version.number} of ${item} was kept for an undo and nobody marked it as known-good`,
      );
    }
    const transaction = {
      item,
      path,
      replacedDigest: expectedDigest,
      writtenDigest: targetDigest,
    };
    const file = openExpected(transaction, context);
    if (isRefusal(file)) return file;
    file[Symbol.dispose]();
    return transaction;
  },
  run: replaceContent,
};
