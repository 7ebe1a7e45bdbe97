// In: an order. Out: what each command of the actuator is: a check without effect, then a run.
// Never: runs what was not checked; whatever is not in the list of index.ts cannot happen on a
// host.

import type { CommandId, Order, Outcome } from '@foreshadow/model';
import type { HostPolicy } from '../host-policy.ts';
import type { Ledger, LedgerState, Transaction } from '../ledger.ts';
import type { Refusal } from '../refusal.ts';
import type { VersionStore } from '../versions.ts';

/** What a command may use while it is performed. */
export interface CommandContext {
  readonly command: CommandId;
  readonly isDryRun: boolean;
  readonly policy: HostPolicy;
  readonly versions: VersionStore;
  readonly ledger: Ledger;
  readonly digestOf: (content: Uint8Array) => string;
  readonly nowMs: () => number;
  /** Since receipt. */
  readonly tookMs: () => number;
  /** @returns a refusal once the command's time limit has passed */
  readonly refuseLate: () => Refusal | undefined;
  /** Makes a state durable, before its effect; the plan is part of it from then on. */
  readonly record: (state: LedgerState, plan?: Transaction) => void;
}

/**
 * One thing that may be done to a host.
 *
 * `check` has no effect and yields the plan, which the ledger holds from VERIFIED on; undefined
 * where no file is replaced.
 * `run` carries the plan out. Errors of the system are thrown; whoever performs the command makes
 * outcomes of them.
 */
export interface ActuatorCommand<OrderType extends Order, Plan extends Transaction | undefined> {
  readonly name: OrderType['kind'];
  check(order: OrderType, context: CommandContext): Plan | Refusal;
  run(plan: Plan, context: CommandContext): Outcome;
}
