// In: what agents say of themselves when they open a stream.
// Out: the hosts that are known, and which are connected.
// Never: forgets a host because it is silent.

import type { HostId, HostRecord } from '@foreshadow/model';
import { CodedError, type Clock } from '@foreshadow/runtime';

export const HOSTS_MAX = 20_000;

/** What the registry needs of an agent's Hello. */
export type Introduction = Pick<
  HostRecord,
  'role' | 'labels' | 'scope' | 'agentVersion' | 'inventory'
> & { readonly host: HostId };

export interface HostRegistry {
  /** @throws CodedError HOSTS_TOO_MANY */
  greet(introduction: Introduction): HostRecord;
  /** A batch of the host was made durable. */
  heard(host: HostId): void;
  left(host: HostId): void;
  isKnown(host: HostId): boolean;
  get(host: HostId): HostRecord | undefined;
  list(): readonly HostRecord[];
  /** Rises when a host is new, or says something else of itself than before. */
  readonly version: number;
}

/** @param initial hosts of earlier runs; none is connected yet */
export function createHostRegistry(options: {
  readonly initial: readonly HostRecord[];
  readonly clock: Clock;
}): HostRegistry {
  const hosts = new Map<HostId, HostRecord>(
    options.initial.map((host) => [host.id, { ...host, isConnected: false }]),
  );
  let version = 1;
  return {
    greet: ({ host: id, ...introduction }) => {
      const known = hosts.get(id);
      if (known === undefined && hosts.size >= HOSTS_MAX) {
        throw new CodedError(
          'HOSTS_TOO_MANY',
          `${HOSTS_MAX} hosts are known; add another controller for more`,
        );
      }
      const nowMs = options.clock.nowMs();
      const record = {
        id,
        ...introduction,
        firstSeenMs: known?.firstSeenMs ?? nowMs,
        lastSeenMs: nowMs,
        isConnected: true,
      };
      if (known === undefined || describe(known) !== describe(record)) version += 1;
      hosts.set(id, record);
      return record;
    },
    heard: (id) => {
      const host = hosts.get(id);
      if (host !== undefined) hosts.set(id, { ...host, lastSeenMs: options.clock.nowMs() });
    },
    left: (id) => {
      const host = hosts.get(id);
      if (host !== undefined) hosts.set(id, { ...host, isConnected: false });
    },
    isKnown: (id) => hosts.has(id),
    get: (id) => hosts.get(id),
    list: () => [...hosts.values()],
    get version() {
      return version;
    },
  };
}

/** What pairing depends on. */
function describe({ role, labels, scope }: HostRecord): string {
  return JSON.stringify([
    role,
    scope,
    Object.entries(labels).toSorted(([left], [right]) => (left < right ? -1 : 1)),
  ]);
}
