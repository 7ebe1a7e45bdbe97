// In: batches as they are made, and the spool behind them.
// Out: messages on the host's own NATS subject.
// Never: waits for the broker: what cannot be sent stays in the spool and is sent later, live
// batches first.

import type { BootId } from '@foreshadow/model';
import { codeOf, describeError, type Clock, type Logger } from '@foreshadow/runtime';

/** The oldest batch that is outstanding was lost on the way when it stays so for this long. */
export const RESEND_AFTER_MS = 4_000;
export const RESEND_CHECK_MS = 1_000;
/**
 * Backlog sent in each check: twice the live rate of a host that samples every 10 ms would still
 * fit.
 */
export const RESEND_BATCHES_MAX = 200;

interface Position {
  readonly boot: BootId;
  readonly sequence: number;
}
type Backlog = readonly (Position & { readonly bytes: Uint8Array })[];

export interface PublisherOptions {
  /** Sends now, or says that it cannot. */
  readonly publish: (bytes: Uint8Array) => boolean;
  /** Connections so far; a change means that what was in flight may be lost. */
  readonly connectionCount: () => number;
  readonly spool: {
    oldestPending(): Position | undefined;
    readPending(options: {
      readonly after?: Position;
      readonly countMax: number;
    }): Promise<Backlog>;
  };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Publisher {
  /** Sends a batch that the spool has just kept. */
  publishLive(bytes: Uint8Array): void;
  /** Sends the backlog at its own pace until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  readonly resentCount: number;
}

/** What an earlier run of the agent left in the spool is sent as soon as something can be sent. */
export function createPublisher(options: PublisherOptions): Publisher {
  return new BacklogPublisher(options);
}

/** Goes once over all that is outstanding, in bounded turns, whenever some of it may be lost. */
class BacklogPublisher implements Publisher {
  readonly #options: PublisherOptions;
  #connectionCount: number;
  /** The pass that is under way: behind which batch it goes on. */
  #pass: { readonly after?: Position } | undefined;
  #oldest: Position | undefined;
  #oldestSinceMs: number;
  #resentCount = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#connectionCount = options.connectionCount();
    this.#oldest = options.spool.oldestPending();
    this.#oldestSinceMs = options.clock.monotonicMs();
    if (this.#oldest !== undefined) this.#pass = {};
  }

  get resentCount(): number {
    return this.#resentCount;
  }

  publishLive(bytes: Uint8Array): void {
    this.#options.publish(bytes);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(RESEND_CHECK_MS, signal);
      if (this.#isReconnected() || this.#isStuck()) this.#pass = {};
      if (this.#pass !== undefined) await this.#resend(this.#pass.after);
    }
  }

  #isReconnected(): boolean {
    const before = this.#connectionCount;
    this.#connectionCount = this.#options.connectionCount();
    return this.#connectionCount !== before;
  }

  /** Asks by the oldest batch, not by marks: those of a new run move while an old one waits. */
  #isStuck(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const oldest = this.#options.spool.oldestPending();
    const isSame =
      oldest?.boot === this.#oldest?.boot && oldest?.sequence === this.#oldest?.sequence;
    if (!isSame) this.#oldestSinceMs = nowMs;
    this.#oldest = oldest;
    if (oldest === undefined || this.#pass !== undefined) return false;
    return nowMs - this.#oldestSinceMs >= RESEND_AFTER_MS;
  }

  async #resend(after: Position | undefined): Promise<void> {
    const backlog = await this.#readBacklog(after);
    if (backlog === undefined) return;
    for (const { boot, sequence, bytes } of backlog) {
      if (!this.#options.publish(bytes)) return;
      this.#pass = { after: { boot, sequence } };
      this.#resentCount += 1;
    }
    if (backlog.length === RESEND_BATCHES_MAX) return;
    // Everything outstanding was sent once more: give the mark time to move before the next pass.
    this.#pass = undefined;
    this.#oldestSinceMs = this.#options.clock.monotonicMs();
  }

  /** Undefined when the disk does not give it now. */
  async #readBacklog(after: Position | undefined): Promise<Backlog | undefined> {
    const page = { countMax: RESEND_BATCHES_MAX };
    try {
      return await this.#options.spool.readPending(after === undefined ? page : { ...page, after });
    } catch (error) {
      this.#options.logger.error('spool not read; it is tried again', {
        code: codeOf(error),
        reason: describeError(error),
      });
      return undefined;
    }
  }
}
