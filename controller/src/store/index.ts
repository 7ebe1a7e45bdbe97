// In: trusted batches, records and small states. Out: the same, durable; recent series in memory;
// tracked items of hosts.
// Never: reports success before fsync, retries a failed write, or gives out a record whose checksum
// is wrong.

export { COMMIT_BATCHES_MAX, openStore } from './store.ts';
export type { Store, StoreCounters, StoreOptions } from './store.ts';
export { RING_POINTS, SERIES_PER_HOST_MAX } from './ring.ts';
export { ITEMS_PER_HOST_MAX, ITEM_KEY_LENGTH_MAX, type ItemChange } from './items.ts';
export {
  INCIDENT_RETENTION_DAYS,
  RETENTION_HOSTS_PER_STEP,
  RETENTION_INCIDENT_RECORDS,
  RETENTION_RECORDS_PER_HOST,
} from './retention.ts';
