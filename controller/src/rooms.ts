// The rooms with a memory or a connection, as they are handed to those who join them.

import type { Outbox } from './alerts/index.ts';
import type { Dispatch } from './dispatch/index.ts';
import type { HostRegistry } from './identity/index.ts';
import type { Incidents } from './incidents/index.ts';
import type { Ingest } from './ingest/index.ts';
import type { Store } from './store/index.ts';

export interface Rooms {
  readonly ingest: Ingest;
  readonly store: Store;
  readonly registry: HostRegistry;
  readonly incidents: Incidents;
  readonly dispatch: Dispatch;
  readonly outbox: Outbox;
}
