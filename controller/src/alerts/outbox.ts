// In: what happened to pairs.
// Out: CloudEvents, in order, to the event stream and to whoever follows them here.
// Never: holds up the loop, or outlives it: what waits for the broker is in memory, in a bounded
// queue, and is lost with the process (docs/decisions/0013-events-are-told-at-most-once.md).

import type { CloudEvent, PairEvent } from '@foreshadow/model';
import {
  backoffMs,
  codeOf,
  describeError,
  type Clock,
  type Logger,
  type Random,
} from '@foreshadow/runtime';

export const EVENTS_PENDING_MAX = 10_000;
export const RETRY_FIRST_MS = 250;
export const RETRY_MAX_MS = 10_000;

export interface OutboxOptions {
  readonly toCloudEvent: (event: PairEvent) => CloudEvent;
  /** Resolves when the stream has the event; repeating it is harmless. */
  readonly publish: (event: CloudEvent, pairEvent: PairEvent) => Promise<void>;
  /** Sees each event at once, before it is published. */
  readonly onEvent: (event: CloudEvent) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface Outbox {
  emit(event: PairEvent): void;
  /** Publishes, one after the other, until the signal aborts; then tries what is left once. */
  run(signal: AbortSignal): Promise<void>;
  readonly pendingCount: number;
  /** How long the oldest event has waited for the broker; 0 when none waits. */
  readonly waitingMs: number;
  readonly publishedCount: number;
  /**
   * Events that will never be published: dropped because the queue was full, or refused for good.
   */
  readonly lostCount: number;
}

interface Pending {
  readonly sinceMs: number;
  readonly event: CloudEvent;
  readonly pairEvent: PairEvent;
}

export function createOutbox(options: OutboxOptions): Outbox {
  return new PendingEvents(options);
}

class PendingEvents implements Outbox {
  readonly #options: OutboxOptions;
  readonly #pending: Pending[] = [];
  #publishedCount = 0;
  #lostCount = 0;
  #wake = Promise.withResolvers<void>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }
  get waitingMs(): number {
    const [first] = this.#pending;
    return first === undefined ? 0 : this.#options.clock.monotonicMs() - first.sinceMs;
  }
  get publishedCount(): number {
    return this.#publishedCount;
  }
  get lostCount(): number {
    return this.#lostCount;
  }

  emit(pairEvent: PairEvent): void {
    const event = this.#options.toCloudEvent(pairEvent);
    this.#options.onEvent(event);
    if (this.#pending.length >= EVENTS_PENDING_MAX) {
      this.#pending.shift();
      this.#lostCount += 1;
    }
    const sinceMs = this.#options.clock.monotonicMs();
    this.#pending.push({ event, pairEvent, sinceMs });
    this.#wake.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake.resolve(), { once: true });
    let attempt = 0;
    while (!signal.aborted) {
      const [first] = this.#pending;
      if (first === undefined) {
        this.#wake = Promise.withResolvers<void>();
        await this.#wake.promise;
        continue;
      }
      const isDone = await this.#publish(first);
      attempt = isDone ? 0 : attempt + 1;
      if (!isDone) await this.#pause(attempt, signal);
    }
    // Once more for what is left; whoever comes later reads the incidents from the API.
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      if (!(await this.#publish(next))) return;
    }
  }

  /** @returns false when it must be tried again */
  async #publish(entry: Pending): Promise<boolean> {
    try {
      await this.#options.publish(entry.event, entry.pairEvent);
      this.#publishedCount += 1;
    } catch (error) {
      const fields = { code: codeOf(error), reason: describeError(error) };
      if (codeOf(error) !== 'EVENT_TOO_LARGE') {
        const pending = this.#pending.length;
        this.#options.logger.warn('event not published yet', { ...fields, pending });
        return false;
      }
      this.#lostCount += 1;
      this.#options.logger.error('event refused for good', fields);
    }
    const index = this.#pending.indexOf(entry);
    // Not there when the bound pushed it out meanwhile.
    if (index >= 0) this.#pending.splice(index, 1);
    return true;
  }

  async #pause(attempt: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const waitMs = backoffMs(attempt, { firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS }, random);
    try {
      await clock.sleep(waitMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
