// In: batches as they are made, and the spool behind them.
// Out: messages on the host's own NATS subject.
// Never: waits for the broker: what cannot be sent stays in the spool and is sent later, live
// batches first.

import { codeOf, describeError, type Clock, type Logger } from '@foreshadow/runtime';

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

type Backlog = readonly { readonly bytes: Uint8Array }[];

export interface PublisherOptions {
  /** Sends now, or says that it cannot. */
  readonly publish: (bytes: Uint8Array) => boolean;
  /** Connections so far; a change means that what was in flight may be lost. */
  readonly connectionCount: () => number;
  readonly spool: {
    readonly pendingCount: number;
    readPending(options: { skip: number; countMax: number }): Promise<Backlog>;
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
  const { clock, logger, spool } = options;
  let lastMovedMs = clock.monotonicMs();
  let knownConnectionCount = options.connectionCount();
  let cursor = 0;
  let markCount = 0;
  let resentCount = 0;

  /** Positions are counted from the mark; a cursor that stayed would skip batches. */
  const startOver = (): void => {
    cursor = 0;
    lastMovedMs = clock.monotonicMs();
  };

  /** Undefined when the disk does not give it now, or when the mark moved amid the reading. */
  const readBacklog = async (): Promise<Backlog | undefined> => {
    const knownMarkCount = markCount;
    try {
      const records = await spool.readPending({ skip: cursor, countMax: RESEND_BATCHES_MAX });
      return markCount === knownMarkCount ? records : undefined;
    } catch (error) {
      logger.error('spool not read; it is tried again', {
        code: codeOf(error),
        reason: describeError(error),
      });
      return undefined;
    }
  };

  const resend = async (): Promise<void> => {
    const records = await readBacklog();
    if (records === undefined) return;
    for (const record of records) {
      if (!options.publish(record.bytes)) return;
      cursor += 1;
      resentCount += 1;
    }
    if (records.length < RESEND_BATCHES_MAX) {
      // Everything outstanding was sent once more: give the mark time to move before the next turn.
      startOver();
    }
  };

  const check = async (): Promise<void> => {
    if (spool.pendingCount === 0) return startOver();
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
      markCount += 1;
      startOver();
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
