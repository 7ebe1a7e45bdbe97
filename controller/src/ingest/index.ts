// In: messages of the broker, as bytes. Out: batches that the controller may trust, each once, and
// low-water marks.
// Never: throws at the broker, keeps more than its bounds, or announces a mark before the store's
// commit.

export { INGEST_QUEUE_BYTES_MAX, INGEST_QUEUE_MAX, createIngest } from './ingest.ts';
export type {
  HostMark,
  Ingest,
  IngestCounters,
  IngestOptions,
  SampleMessage,
  Taken,
} from './ingest.ts';
export { FUTURE_MS_MAX, GAPS_PER_BATCH_MAX, SEQUENCE_AHEAD_MAX, SEQUENCE_MAX } from './validate.ts';
export { BOOTS_PER_HOST_MAX, RANGES_PER_BOOT_MAX } from './coverage.ts';
