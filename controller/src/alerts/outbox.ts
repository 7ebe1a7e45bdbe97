// In: what happened to pairs. Out: CloudEvents, in order, to the event stream and to whoever follows them here.
// Never: holds up the loop: publishing waits for the broker in a bounded queue of its own.

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
  readonly publishedCount: number;
  /** Events that will never be published: dropped because the queue was full, or refused for good. */
  readonly lostCount: number;
}

interface Pending {
  readonly event: CloudEvent;
  readonly pairEvent: PairEvent;
}

export function createOutbox(options: OutboxOptions): Outbox {
  const pending: Pending[] = [];
  let publishedCount = 0;
  let lostCount = 0;
  let wake = Promise.withResolvers<void>();

  const publishFirst = async (first: Pending): Promise<void> => {
    await options.publish(first.event, first.pairEvent);
    pending.splice(pending.indexOf(first), 1);
    publishedCount += 1;
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    signal.addEventListener('abort', () => wake.resolve(), { once: true });
    let attempt = 0;
    while (!signal.aborted) {
      const [first] = pending;
      if (first === undefined) {
        wake = Promise.withResolvers<void>();
        await wake.promise;
        continue;
      }
      try {
        await publishFirst(first);
        attempt = 0;
      } catch (error) {
        if (codeOf(error) === 'EVENT_TOO_LARGE') {
          pending.shift();
          lostCount += 1;
          options.logger.error('event refused for good', {
            reason: describeError(error),
            code: codeOf(error),
          });
          continue;
        }
        options.logger.warn('event not published yet', {
          reason: describeError(error),
          pending: pending.length,
        });
        const waitMs = backoffMs(
          attempt,
          { firstMs: RETRY_FIRST_MS, maxMs: RETRY_MAX_MS },
          options.random,
        );
        attempt += 1;
        await Promise.race([options.clock.sleep(waitMs), aborted(signal)]);
      }
    }
    await flush(pending, publishFirst, options.logger);
  };

  return {
    emit: (pairEvent) => {
      const event = options.toCloudEvent(pairEvent);
      options.onEvent(event);
      if (pending.length >= EVENTS_PENDING_MAX) {
        pending.shift();
        lostCount += 1;
      }
      pending.push({ event, pairEvent });
      wake.resolve();
    },
    run,
    get pendingCount() {
      return pending.length;
    },
    get publishedCount() {
      return publishedCount;
    },
    get lostCount() {
      return lostCount;
    },
  };
}

async function flush(
  pending: readonly Pending[],
  publish: (first: Pending) => Promise<void>,
  logger: Logger,
): Promise<void> {
  for (let entry = pending[0]; entry !== undefined; entry = pending[0]) {
    try {
      await publish(entry);
    } catch (error) {
      logger.warn('events left unpublished at the end', {
        count: pending.length,
        reason: describeError(error),
      });
      return;
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
