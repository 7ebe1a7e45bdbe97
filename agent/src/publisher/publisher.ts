// In: batches as they are made, and the spool behind them.
// Out: messages on the host's own NATS subject.
// Never: waits for the broker: what cannot be sent stays in the spool and is sent later, live
// batches first.

import type { Clock, Logger } from '@foreshadow/runtime';

/**
 * A mark that has not moved for this long, while batches are outstanding, means that some were lost
 * on the way.
 */
export const RESEND_AFTER_MS = 4_000;
export const RESEND_CHECK_MS = 1_000;
/**
 * Backlog sent in each check: twice the live rate of a host that samples every 10 ms would still
 * fit.
 */
export const RESEND_BATCHES_MAX = 200;

export interface PublisherOptions {
  /** Sends now, or says that it cannot. */
  readonly publish: (bytes: Uint8Array) => boolean;
  /** Connections so far; a change means that what was in flight may be lost. */
  readonly connectionCount: () => number;
  readonly spool: {
    readonly pendingCount: number;
    readPending(options: {
      skip: number;
      countMax: number;
    }): Promise<readonly { readonly bytes: Uint8Array }[]>;
  };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Publisher {
  /** Sends a batch that the spool has just kept. */
  publishLive(bytes: Uint8Array): void;
  /** The controller holds more than before. */
  markMoved(): void;
  /** Sends the backlog at its own pace until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  readonly resentCount: number;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { clock, spool } = options;
  let lastMovedMs = clock.monotonicMs();
  let knownConnectionCount = options.connectionCount();
  let cursor = 0;
  let resentCount = 0;

  const resend = async (): Promise<void> => {
    const records = await spool.readPending({ skip: cursor, countMax: RESEND_BATCHES_MAX });
    for (const record of records) {
      if (!options.publish(record.bytes)) return;
      cursor += 1;
      resentCount += 1;
    }
    if (records.length < RESEND_BATCHES_MAX) {
      // Everything outstanding was sent once more: give the mark time to move before starting over.
      cursor = 0;
      lastMovedMs = clock.monotonicMs();
    }
  };

  const check = async (): Promise<void> => {
    if (spool.pendingCount === 0) {
      cursor = 0;
      lastMovedMs = clock.monotonicMs();
      return;
    }
    const isReconnected = options.connectionCount() !== knownConnectionCount;
    knownConnectionCount = options.connectionCount();
    const isLate = clock.monotonicMs() - lastMovedMs >= RESEND_AFTER_MS;
    if (cursor > 0 || isLate || isReconnected) await resend();
  };

  return {
    publishLive: (bytes) => {
      options.publish(bytes);
    },
    markMoved: () => {
      // Positions are counted from the mark, so the cursor would skip batches if it stayed.
      cursor = 0;
      lastMovedMs = clock.monotonicMs();
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(RESEND_CHECK_MS, signal);
        await check();
      }
    },
    get resentCount() {
      return resentCount;
    },
  };
}
