// In: one fingerprinter and a clock. Out: what it knows, when that changed, and how each read
// fared.
// Never: lets a failure or a hang out, or takes it for the removal of what was known.

import { EVERYTHING } from '@foreshadow/configuration';
import type { FingerprintChange, UnitReport, UnreadableReason } from '@foreshadow/model';
import { CodedError, codeOf, type Clock, type Random } from '@foreshadow/runtime';
import type { Effort, Finding, Fingerprinter } from './fingerprinter.ts';
import { reasonOf } from './reading.ts';
import { applyFindings } from './reports.ts';

export const ITEMS_PER_UNIT_MAX = 32_768;
/** Periods are up to this share shorter, so that a fleet does not work in step. */
export const SPLAY_RATIO = 0.1;
/** Notices that come in a burst are answered by one read. */
export const COALESCE_MS = 50;
/**
 * Reads caused by notices rest this many times as long as they took: an ever-changing file costs a
 * tenth of a core at most.
 */
export const REST_FACTOR = 9;
/** But no longer than this, so that a change of a watched file is seen in time. */
export const REST_MS_MAX = 2_000;

export interface UnitLoopOptions {
  readonly fingerprinter: Fingerprinter;
  readonly clock: Clock;
  readonly random: Random;
  readonly rescanMs: number;
  readonly rehashMs: number;
  readonly timeLimitMs: number;
  /** After each read; `changes` is empty when nothing changed. */
  readonly onRead: (changes: readonly FingerprintChange[]) => void;
  readonly onUnit: (report: UnitReport) => void;
}

type Answer =
  | { readonly kind: 'read'; readonly findings: readonly Finding[] }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'late' };

export class UnitLoop {
  readonly #options: UnitLoopOptions;
  readonly #known = new Map<string, Finding>();
  #last: readonly Finding[] | undefined;
  #inFlightSinceMs: number | undefined;
  #rescanAtMs = 0;
  #rehashAtMs = 0;
  #noticedAtMs = Infinity;
  #restUntilMs = 0;
  #wake: (() => void) | undefined;

  constructor(options: UnitLoopOptions) {
    this.#options = options;
  }

  /** What is known now, by name; the last answer stands while a later read fails. */
  get known(): ReadonlyMap<string, Finding> {
    return this.#known;
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { fingerprinter, onRead } = this.#options;
    fingerprinter.watch?.(() => this.#notice());
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
    try {
      while (!signal.aborted) {
        const effort = await this.#nextEffort(signal);
        if (effort === undefined) break;
        const changes = await this.#read(effort, signal);
        if (!signal.aborted) onRead(changes);
      }
    } finally {
      fingerprinter.close?.();
    }
  }

  #notice(): void {
    if (this.#noticedAtMs !== Infinity) return;
    this.#noticedAtMs = this.#options.clock.monotonicMs() + COALESCE_MS;
    this.#wake?.();
  }

  /** Waits for the next read that is due. @returns undefined when aborted */
  async #nextEffort(signal: AbortSignal): Promise<Effort | undefined> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const nowMs = clock.monotonicMs();
      const effort = this.#dueEffort(nowMs);
      if (effort !== undefined) return effort;
      const dueMs = Math.min(this.#rescanAtMs, this.#rehashAtMs, this.#answerAtMs);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = clock.after(dueMs - nowMs, resolve);
      await promise;
      timer.cancel();
      this.#wake = undefined;
    }
    return undefined;
  }

  /** When what was noticed is looked at; a notice may have come before the rest was known. */
  get #answerAtMs(): number {
    return Math.max(this.#noticedAtMs, this.#restUntilMs);
  }

  #dueEffort(nowMs: number): Effort | undefined {
    const { rescanMs, rehashMs } = this.#options;
    const isRehash = nowMs >= this.#rehashAtMs;
    const isRescan = isRehash || nowMs >= this.#rescanAtMs;
    if (!isRescan && nowMs < this.#answerAtMs) return undefined;
    this.#noticedAtMs = Infinity;
    if (isRehash) this.#rehashAtMs = nowMs + this.#splayed(rehashMs);
    if (isRescan) this.#rescanAtMs = nowMs + this.#splayed(rescanMs);
    if (isRehash) return 'rehash';
    return isRescan ? 'rescan' : 'noticed';
  }

  #splayed(periodMs: number): number {
    return periodMs * (1 - SPLAY_RATIO * this.#options.random());
  }

  async #read(effort: Effort, signal: AbortSignal): Promise<readonly FingerprintChange[]> {
    const { clock, onUnit, fingerprinter } = this.#options;
    const unit = fingerprinter.name;
    const nowMs = clock.monotonicMs();
    if (this.#inFlightSinceMs !== undefined) {
      onUnit({ unit, result: 'hanging', durationMs: nowMs - this.#inFlightSinceMs });
      return [];
    }
    const answer = await this.#ask(effort, signal);
    const durationMs = clock.monotonicMs() - nowMs;
    if (effort === 'noticed')
      this.#restUntilMs = nowMs + durationMs + Math.min(durationMs * REST_FACTOR, REST_MS_MAX);
    if (signal.aborted) return [];
    if (answer.kind === 'read') {
      onUnit({ unit, result: 'done', durationMs });
      if (answer.findings === this.#last) return [];
      this.#last = answer.findings;
      return applyFindings(this.#known, answer.findings, fingerprinter.subject);
    }
    const result = answer.kind === 'late' ? 'hanging' : 'failed';
    const errorCode = answer.kind === 'late' ? 'FINGERPRINT_LATE' : codeOf(answer.error);
    onUnit({ unit, result, durationMs, errorCode });
    return this.#admitIgnorance(answer.kind === 'late' ? 'io-error' : reasonOf(answer.error));
  }

  /** Ends at the time limit at the latest, whatever the fingerprinter does. */
  async #ask(effort: Effort, signal: AbortSignal): Promise<Answer> {
    const { clock, fingerprinter, timeLimitMs } = this.#options;
    const limit = new AbortController();
    const { promise: late, resolve } = Promise.withResolvers<Answer>();
    const end = (reason: CodedError): void => {
      limit.abort(reason);
      resolve({ kind: 'late' });
    };
    const stop = (): void => end(new CodedError('STOPPED', `${fingerprinter.name} was stopped`));
    const timer = clock.after(timeLimitMs, () =>
      end(
        new CodedError(
          'FINGERPRINT_LATE',
          `${fingerprinter.name} took longer than ${timeLimitMs} ms; is a disk not answering?`,
        ),
      ),
    );
    signal.addEventListener('abort', stop, { once: true });
    this.#inFlightSinceMs = clock.monotonicMs();
    try {
      return await Promise.race([this.#answer(effort, limit.signal), late]);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  async #answer(effort: Effort, signal: AbortSignal): Promise<Answer> {
    const { fingerprinter } = this.#options;
    try {
      const findings = await fingerprinter.read(effort, signal);
      if (findings.length > ITEMS_PER_UNIT_MAX)
        throw new CodedError(
          'FINGERPRINT_TOO_MANY_ITEMS',
          `${fingerprinter.name} found over ${ITEMS_PER_UNIT_MAX} items; narrow what it looks at`,
        );
      return { kind: 'read', findings };
    } catch (error) {
      return { kind: 'failed', error };
    } finally {
      this.#inFlightSinceMs = undefined;
    }
  }

  /**
   * What was known stands. Where nothing ever was, the subject as a whole is unreadable, so that it
   * does not look empty.
   */
  #admitIgnorance(reason: UnreadableReason): readonly FingerprintChange[] {
    if (this.#last !== undefined) return [];
    const { subject } = this.#options.fingerprinter;
    const finding: Finding = { kind: 'unreadable', subject, name: EVERYTHING, reason };
    return applyFindings(this.#known, [finding], subject);
  }
}
