// In: a decoded batch. Out: the code with which it is refused, or nothing.
// Never: repairs a batch, or judges its values; a counter that starts again and a clock that steps
// back are facts.

import {
  CHANGES_PER_BATCH_MAX,
  EVENTS_PER_BATCH_MAX,
  READINGS_PER_BATCH_MAX,
  SNAPSHOT_PARTS_MAX,
  parseBootId,
  type Batch,
  type FingerprintReport,
  type Gap,
  type HostId,
} from '@foreshadow/model';

/** A point further ahead would stay the newest of its host for that long. */
export const FUTURE_MS_MAX = 120_000;
/** 32 bits on the wire. */
export const SEQUENCE_MAX = 0xffff_ffff;
/**
 * Beyond the highest sequence known of a boot: 48 days at one batch a second. The first batch of a
 * boot may have any.
 */
export const SEQUENCE_AHEAD_MAX = 2 ** 22;
export const GAPS_PER_BATCH_MAX = 64;
const INTERVAL_MS_MAX = 24 * 3_600_000;

/**
 * @returns undefined for a batch that may be trusted as far as it can be judged alone. Cost: linear
 * in its lists.
 */
export function refusalOf(
  batch: Batch,
  expected: { readonly host: HostId; readonly receivedMs: number },
): string | undefined {
  if (batch.host !== expected.host) return 'SUBJECT_MISMATCH';
  if (parseBootId(batch.boot) === undefined) return 'BOOT_INVALID';
  if (!isSequence(batch.sequence)) return 'SEQUENCE_INVALID';
  if (!hasValidTimes(batch)) return 'TIME_INVALID';
  if (batch.wallMs > expected.receivedMs + FUTURE_MS_MAX) return 'TIME_FAR_FUTURE';
  if (
    batch.readings.length > READINGS_PER_BATCH_MAX ||
    batch.events.length > EVENTS_PER_BATCH_MAX ||
    batch.gaps.length > GAPS_PER_BATCH_MAX ||
    (batch.fingerprints?.changes.length ?? 0) > CHANGES_PER_BATCH_MAX
  )
    return 'TOO_MANY_ENTRIES';
  if (!batch.gaps.every(isGap)) return 'GAP_INVALID';
  if (batch.fingerprints !== undefined && !isReport(batch.fingerprints)) return 'REPORT_INVALID';
  return undefined;
}

/** Whether a batch that `refusalOf` refuses with this code is still known by its identity. */
export function isIdentified(refusal: string): boolean {
  return !['SUBJECT_MISMATCH', 'BOOT_INVALID', 'SEQUENCE_INVALID'].includes(refusal);
}

function isSequence(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= SEQUENCE_MAX;
}

function hasValidTimes(batch: Batch): boolean {
  return (
    isTime(batch.wallMs) &&
    isTime(batch.monotonicMs) &&
    batch.intervalMs > 0 &&
    batch.intervalMs <= INTERVAL_MS_MAX &&
    batch.events.every((event) => isTime(event.atMs))
  );
}

function isTime(valueMs: number): boolean {
  return Number.isFinite(valueMs) && valueMs >= 0;
}

function isGap(gap: Gap): boolean {
  return (
    parseBootId(gap.boot) !== undefined &&
    isSequence(gap.firstSequence) &&
    isSequence(gap.lastSequence) &&
    gap.firstSequence <= gap.lastSequence
  );
}

function isReport({ mode, partIndex, partCount }: FingerprintReport): boolean {
  if (mode === 'changes') return true;
  return (
    Number.isInteger(partIndex) &&
    Number.isInteger(partCount) &&
    partIndex >= 0 &&
    partIndex < partCount &&
    partCount <= SNAPSHOT_PARTS_MAX
  );
}
