// In: nothing. Out: wall time, monotonic time and waiting, as one injected thing.
// Never: is read around; `Date.now` and timers stand in this file only.

import assert from 'node:assert/strict';

/**
 * `nowMs` may jump and is for people and other hosts; `monotonicMs` never goes back and is for
 * durations.
 */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number;
  monotonicMs(): number;
  /** @throws the signal's reason when aborted */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls once, after at least `durationMs`; the timer does not keep the process alive. */
  after(durationMs: number, call: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** The longest wait that a timer of Node keeps, ms (24 days); a longer one would end at once. */
export const WAIT_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      assert(durationMs <= WAIT_MS_MAX);
      if (signal?.aborted === true) {
        // The reason is whatever the aborter gave; by convention an Error.
        reject(signal.reason as Error);
        return;
      }
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, durationMs);
      signal?.addEventListener('abort', abort, { once: true });
    }),
  after: (durationMs, call) => {
    assert(durationMs <= WAIT_MS_MAX);
    const timer = setTimeout(call, durationMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
