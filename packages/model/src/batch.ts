// In: nothing. Out: the batch, which is all that an agent ever sends over NATS.
// Never: refers to another batch; each can be understood alone.

import type { FingerprintReport } from './fingerprint.ts';
import type { BootId, HostId } from './ids.ts';
import type { Reading } from './metrics.ts';

export const READINGS_PER_BATCH_MAX = 4_096;
export const CHANGES_PER_BATCH_MAX = 256;
export const EVENTS_PER_BATCH_MAX = 64;
export const BATCH_BYTES_MAX = 256 * 1024;
/** Parts of one snapshot of fingerprints; each part travels in a batch of its own. */
export const SNAPSHOT_PARTS_MAX = 512;

/** How one collector or fingerprinter fared in this tick. */
export interface UnitReport {
  readonly unit: string;
  readonly result: 'done' | 'failed' | 'hanging';
  /** Wall time, milliseconds; for `hanging`, so far. */
  readonly durationMs: number;
  /** Code of the error; absent when done. */
  readonly errorCode?: string;
}

/** A fact that a host reports after the act. */
export interface HostEvent {
  readonly kind: string;
  readonly atMs: number;
  readonly sentence: string;
  readonly details: Readonly<Record<string, string>>;
}

/** Sequence numbers of one boot which the spool had to drop; they will never come. */
export interface Gap {
  readonly boot: BootId;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

export interface Batch {
  readonly host: HostId;
  readonly boot: BootId;
  /** 1, 2, 3, … within the boot; together with host and boot the identity of the batch. */
  readonly sequence: number;
  /** Wall clock of the host, epoch ms. */
  readonly wallMs: number;
  /** Monotonic clock of the host, ms since some start of its own. */
  readonly monotonicMs: number;
  /** Sampling interval in force, ms. */
  readonly intervalMs: number;
  readonly readings: readonly Reading[];
  readonly fingerprints?: FingerprintReport;
  readonly events: readonly HostEvent[];
  readonly units: readonly UnitReport[];
  readonly gaps: readonly Gap[];
}

/**
 * Everything up to and including `sequence` of `boot` is durable in the controller's store, or
 * known to be lost.
 */
export interface LowWaterMark {
  readonly boot: BootId;
  readonly sequence: number;
}

/** A batch that ingest trusts, with the bytes in which it came. */
export interface AcceptedBatch {
  readonly batch: Batch;
  readonly bytes: Uint8Array;
}

/** Inclusive at both ends. */
export interface SequenceRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Which sequence numbers of one boot are stored, or known to be lost: ascending ranges that neither
 * overlap nor touch.
 */
export interface BootCoverage {
  readonly boot: BootId;
  readonly ranges: readonly SequenceRange[];
}

/** What the controller holds of one host; the boot used last stands last. */
export interface HostCoverage {
  readonly host: HostId;
  readonly boots: readonly BootCoverage[];
}
