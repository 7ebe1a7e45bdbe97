// In: named parts that were opened.
// Out: the same parts closed in the mirrored order, each with a deadline.
// Never: swallows a failure to close; it is logged and the next part is closed all the same.

import type { Clock } from './clock.ts';
import { CodedError, describeError } from './errors.ts';
import type { Logger } from './logger.ts';

export const CLOSE_DEADLINE_MS = 5_000;

interface Part {
  readonly name: string;
  readonly close: () => Promise<void> | void;
}

/** Owns what a program opened. `await using` or `close()` ends it; closing twice is harmless. */
export class Lifecycle implements AsyncDisposable {
  readonly #parts: Part[] = [];
  readonly #logger: Logger;
  readonly #clock: Clock;

  constructor(options: { readonly logger: Logger; readonly clock: Clock }) {
    this.#logger = options.logger;
    this.#clock = options.clock;
  }

  /** Takes ownership of a disposable and returns it. */
  own<Owned extends AsyncDisposable>(name: string, owned: Owned): Owned {
    this.#parts.push({ name, close: async () => owned[Symbol.asyncDispose]() });
    return owned;
  }

  /** Registers an action for the end. */
  onClose(name: string, close: () => Promise<void> | void): void {
    this.#parts.push({ name, close });
  }

  async close(): Promise<void> {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      const startedMs = this.#clock.monotonicMs();
      try {
        await this.#withDeadline(part);
        this.#logger.debug('closed', {
          part: part.name,
          tookMs: Math.round(this.#clock.monotonicMs() - startedMs),
        });
      } catch (error) {
        this.#logger.error('could not close', { part: part.name, reason: describeError(error) });
      }
    }
  }

  async #withDeadline(part: Part): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const late = (): void =>
      reject(
        new CodedError(
          'CLOSE_TIMEOUT',
          `${part.name} did not close within ${CLOSE_DEADLINE_MS} ms; going on`,
        ),
      );
    const timer = this.#clock.after(CLOSE_DEADLINE_MS, late);
    try {
      await Promise.race([part.close(), promise]);
    } finally {
      timer.cancel();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Runs loops side by side until `stop` or `fatal` aborts. The first that fails aborts `fatal`, so
 * that no loop goes on in a program whose rooms are about to be closed; returns when all ended.
 *
 * @throws what `fatal` was aborted with, by a loop or by anybody else
 */
export async function runTogether(
  loops: readonly ((signal: AbortSignal) => Promise<void>)[],
  { stop, fatal }: { readonly stop: AbortSignal; readonly fatal: AbortController },
): Promise<void> {
  const signal = AbortSignal.any([stop, fatal.signal]);
  const runOne = async (loop: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    try {
      await loop(signal);
    } catch (error) {
      // A loop that waits ends by the signal's reason, which is no trouble.
      if (!signal.aborted) fatal.abort(error);
    }
  };
  await Promise.all(loops.map(runOne));
  if (fatal.signal.aborted) throw fatal.signal.reason;
}

/**
 * @param names what a daemon is stopped by, unless told otherwise
 * @returns a signal that aborts at the first of these; a second one ends the process at once with
 * 130, but for SIGHUP: a terminal that closes sends it more than once
 */
export function stopSignal(names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): AbortSignal {
  const controller = new AbortController();
  for (const name of names) {
    process.on(name, () => {
      if (controller.signal.aborted && name !== 'SIGHUP') process.exit(130);
      controller.abort(new CodedError('STOPPED', `stopped by ${name}`));
    });
  }
  return controller.signal;
}
