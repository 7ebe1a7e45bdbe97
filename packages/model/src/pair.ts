// In: nothing. Out: who is compared with whom.
// Never: says how; that is pairing and deviation.

import type { HostId, PairId } from './ids.ts';

export const hostRoles = ['production', 'shadow'] as const;
export type HostRole = (typeof hostRoles)[number];
export type Side = HostRole;

export type Labels = Readonly<Record<string, string>>;

/** What the controller knows of a host. Times are epoch ms of the controller's clock. */
export interface HostRecord {
  readonly id: HostId;
  readonly role: HostRole;
  readonly labels: Labels;
  readonly scope: string;
  readonly agentVersion: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Whether the agent's control stream is open now. */
  readonly isConnected: boolean;
  readonly inventory: Readonly<Record<string, string>>;
}

export interface Pair {
  readonly id: PairId;
  readonly production: HostId;
  readonly shadow: HostId;
  /** `explicit`, or the name of the label rule that made it. */
  readonly origin: string;
}
