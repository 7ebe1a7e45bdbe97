// The newest events in memory with a number each, so that a caller can follow them by asking.

import type { CloudEvent, EventPage, NumberedEvent } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import type { EventQuery } from './ports.ts';

export const EVENTS_KEPT_MAX = 2_000;
export const EVENT_WAITERS_MAX = 128;

export interface EventRing {
  readonly append: (event: CloudEvent) => void;
  /**
   * Answers at once when there are events after `after`, or when too many callers wait already;
   * else when one comes,
   * `waitMs` are over or `signal` aborts. A number that was never given means that the controller
   * started anew
   * since: the answer then begins with the oldest event kept.
   */
  readonly read: (query: EventQuery, signal: AbortSignal) => Promise<EventPage>;
}

/**
 * @param capacity events kept; the oldest go first and are counted as missed for whoever had not
 * read them
 */
export function createEventRing(options: {
  readonly clock: Clock;
  readonly capacity?: number;
}): EventRing {
  const capacity = options.capacity ?? EVENTS_KEPT_MAX;
  const kept: NumberedEvent[] = [];
  const waiters = new Set<() => void>();
  let newest = 0;

  const page = (query: EventQuery): EventPage => {
    const after = query.after > newest ? 0 : query.after;
    const oldest = newest - kept.length + 1;
    const first = Math.max(after + 1, oldest);
    const items = kept.slice(first - oldest, first - oldest + query.limit);
    return { items, newest, missedCount: first - after - 1 };
  };

  return {
    append: (event) => {
      newest += 1;
      kept.push({ sequence: newest, event });
      if (kept.length > capacity) kept.shift();
      for (const wake of waiters) wake();
    },
    read: async (query, signal) => {
      const now = page(query);
      const mustWait = now.items.length === 0 && query.waitMs > 0 && !signal.aborted;
      if (!mustWait || waiters.size >= EVENT_WAITERS_MAX) return now;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = options.clock.after(query.waitMs, resolve);
      const wake = (): void => resolve();
      waiters.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      await promise;
      signal.removeEventListener('abort', wake);
      waiters.delete(wake);
      timer.cancel();
      return page(query);
    },
  };
}
