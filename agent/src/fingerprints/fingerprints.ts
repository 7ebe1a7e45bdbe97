// In: fingerprinters, a clock and randomness. Out: one snapshot at the start, then reports of what
// changed.
// Never: lets one fingerprinter stop the others, or starts a process.

import type { FingerprintReport, UnitReport } from '@foreshadow/model';
import type { Clock, Random, Timer } from '@foreshadow/runtime';
import type { Fingerprinter } from './fingerprinter.ts';
import { changeReports, snapshotReports } from './reports.ts';
import { UnitLoop } from './unit-loop.ts';

export const RESCAN_MS = 60_000;
export const REHASH_MS = 12 * 60 * 60 * 1000;
/** A first inventory of many files is throttled; what it has read by then is not read again. */
export const READ_LIMIT_MS = 120_000;
/** A snapshot that is asked for sooner than this after another one waits. */
export const SNAPSHOT_GAP_MS = 5_000;

export interface FingerprintsOptions {
  readonly fingerprinters: readonly Fingerprinter[];
  readonly clock: Clock;
  readonly random: Random;
  /** Takes the parts of a snapshot in one go; the receiver queues. */
  readonly onReport: (report: FingerprintReport) => void;
  readonly onUnit: (report: UnitReport) => void;
  readonly rescanMs?: number;
  readonly rehashMs?: number;
  readonly timeLimitMs?: number;
}

export interface Fingerprints extends AsyncDisposable {
  /**
   * Reports everything again from memory. Before the first snapshot it does nothing: that one comes
   * by itself.
   */
  requestSnapshot(): void;
  /** Items known now, the unreadable among them. */
  readonly itemCount: number;
}

/**
 * Starts all fingerprinters and returns at once; the snapshot follows when each has answered,
 * failed, or exceeded its limit.
 */
export function openFingerprints(options: FingerprintsOptions): Fingerprints {
  const fingerprints = new HostFingerprints(options);
  fingerprints.start();
  return fingerprints;
}

class HostFingerprints implements Fingerprints {
  readonly #options: FingerprintsOptions;
  readonly #stop = new AbortController();
  readonly #loops: readonly UnitLoop[];
  readonly #silent: Set<Fingerprinter>;
  #running: Promise<unknown> = Promise.resolve();
  #snapshotId = 0;
  #snapshotAtMs = 0;
  #deferred: Timer | undefined;

  constructor(options: FingerprintsOptions) {
    this.#options = options;
    this.#silent = new Set(options.fingerprinters);
    this.#loops = options.fingerprinters.map((fingerprinter) => {
      const { rescanMs = RESCAN_MS, rehashMs = REHASH_MS, timeLimitMs = READ_LIMIT_MS } = options;
      return new UnitLoop({
        fingerprinter,
        clock: options.clock,
        random: options.random,
        rescanMs,
        rehashMs,
        timeLimitMs,
        onUnit: options.onUnit,
        onRead: (changes) => {
          if (this.#snapshotId !== 0)
            for (const report of changeReports(this.#snapshotId, changes)) options.onReport(report);
          else if (this.#silent.delete(fingerprinter) && this.#silent.size === 0) this.#snapshot();
        },
      });
    });
  }

  get itemCount(): number {
    return this.#loops.reduce((sum, loop) => sum + loop.known.size, 0);
  }

  start(): void {
    this.#running = Promise.all(this.#loops.map(async (loop) => loop.run(this.#stop.signal)));
    if (this.#loops.length === 0) this.#snapshot();
  }

  requestSnapshot(): void {
    if (this.#snapshotId === 0 || this.#deferred !== undefined) return;
    const waitMs = this.#snapshotAtMs + SNAPSHOT_GAP_MS - this.#options.clock.monotonicMs();
    if (waitMs > 0)
      this.#deferred = this.#options.clock.after(waitMs, () => {
        this.#deferred = undefined;
        this.#snapshot();
      });
    else this.#snapshot();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deferred?.cancel();
    this.#stop.abort();
    await this.#running;
  }

  #snapshot(): void {
    const { clock, onReport } = this.#options;
    // Seconds of the wall clock: greater than those of an earlier run of the agent, and 32 bits
    // until 2106.
    this.#snapshotId = Math.max(this.#snapshotId + 1, Math.floor(clock.nowMs() / 1000));
    this.#snapshotAtMs = clock.monotonicMs();
    const findings = this.#loops.flatMap((loop) => [...loop.known.values()]);
    for (const report of snapshotReports(this.#snapshotId, findings)) onReport(report);
  }
}
