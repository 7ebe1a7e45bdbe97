// In: nothing.
// Out: the story of what went wrong with a pair, and what was decided and done about it.
// Never: forgets; an incident is the fold of its append-only records.

import type { FingerprintSubject, ItemKey } from './fingerprint.ts';
import type { CommandId, HostId, IncidentId, PairId } from './ids.ts';
import type { Side } from './pair.ts';

/** One difference between the two hosts of a pair. */
export interface Drift {
  readonly pair: PairId;
  readonly item: ItemKey;
  readonly subject: FingerprintSubject;
  readonly name: string;
  readonly difference: 'differs' | 'missing-on-production' | 'missing-on-shadow';
  /**
   * The side that departed from the state which both had; absent where they never agreed, or both
   * departed.
   */
  readonly changedSide?: Side;
  readonly productionDigest?: string;
  readonly shadowDigest?: string;
  readonly productionFacts?: Readonly<Record<string, string>>;
  readonly shadowFacts?: Readonly<Record<string, string>>;
  /** When the controller first saw it, epoch ms. */
  readonly sinceMs: number;
}

export type IncidentKind = 'drift' | 'behaviour';

export interface Incident {
  readonly id: IncidentId;
  readonly pair: PairId;
  readonly kind: IncidentKind;
  /**
   * Item key for drift; `behaviour` otherwise. At most one incident of a pair and subject is open.
   */
  readonly subject: string;
  readonly state: 'open' | 'closed';
  readonly openedMs: number;
  readonly updatedMs: number;
  readonly closedMs?: number;
  readonly sentence: string;
  readonly drift?: Drift;
}

/** One line of an incident's ledger. Sequence numbers rise by one over the whole controller. */
export interface IncidentRecord {
  readonly sequence: number;
  readonly incident: IncidentId;
  readonly atMs: number;
  readonly change: 'opened' | 'updated' | 'decided' | 'commanded' | 'outcome' | 'closed';
  readonly sentence: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the policy yields. `none` explains itself. */
export type Decision =
  | {
      readonly kind: 'none';
      readonly incident: IncidentId;
      readonly rule?: string;
      readonly sentence: string;
    }
  | {
      readonly kind: 'alert';
      readonly incident: IncidentId;
      readonly rule: string;
      readonly sentence: string;
    }
  | {
      readonly kind: 'restore';
      readonly incident: IncidentId;
      readonly rule: string;
      readonly sentence: string;
      readonly host: HostId;
      readonly order: RestoreOrder;
    };

/** Restore by reference: the bytes come from the host's own version store. */
export interface RestoreOrder {
  readonly kind: 'restore';
  readonly item: ItemKey;
  /** Digest that the live file must have, or the restore is refused. */
  readonly expectedDigest: string;
  readonly targetDigest: string;
}
/** Keeps the present content of the host's restorable files as versions, and marks them as good. */
export interface MarkKnownGoodOrder {
  readonly kind: 'mark-known-good';
}
/** Puts back what a restore replaced, if nobody has changed it since. */
export interface UndoOrder {
  readonly kind: 'undo';
  readonly command: CommandId;
}
export type Order = RestoreOrder | MarkKnownGoodOrder | UndoOrder;
export type OrderKind = Order['kind'];

export interface Command {
  readonly id: CommandId;
  readonly host: HostId;
  readonly order: Order;
  readonly isDryRun: boolean;
  /** Who asked for it: a rule or a person, as text. */
  readonly requestedBy: string;
  readonly reason: string;
  /** How long the host may take, ms; it refuses to start later than that after receipt. */
  readonly timeLimitMs: number;
  readonly incident?: IncidentId;
}

/**
 * `refused`: not started, by rule. `failed`: started and went wrong. `unknown`: no answer before
 * the deadline.
 */
export type Outcome =
  | {
      readonly kind: 'done';
      readonly tookMs: number;
      readonly sentence: string;
      readonly details: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'refused'; readonly code: string; readonly sentence: string }
  | { readonly kind: 'failed'; readonly code: string; readonly sentence: string }
  | { readonly kind: 'unknown'; readonly sentence: string };

/** A command and what became of it, as the controller keeps it. */
export interface CommandRecord {
  readonly command: Command;
  readonly state: 'sent' | 'received' | 'ended';
  readonly sentMs: number;
  readonly receivedMs?: number;
  readonly endedMs?: number;
  readonly outcome?: Outcome;
  /** Under which it was asked for, so that asking again sends nothing. */
  readonly idempotencyKey?: string;
}
