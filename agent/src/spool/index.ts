// In: encoded batches, and the controller's low-water marks.
// Out: batches that the controller does not hold durably yet.
// Never: grows beyond its bound, sends anything, or loses a batch without a gap record.

export {
  openSpool,
  SEGMENT_BYTES_MAX,
  type Spool,
  type SpoolOptions,
  type SpoolPosition,
} from './spool.ts';
export type { SpoolRecord } from './segment.ts';
