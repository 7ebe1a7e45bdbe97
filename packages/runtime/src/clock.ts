// In: nothing. Out: wall time, monotonic time and waiting, as one injected thing.
// Never: is read around; `Date.now` and timers stand in this file only.

/** `nowMs` may jump and is for people and other hosts; `monotonicMs` never goes back and is for durations. */
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

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error); // The reason is whatever the aborter gave; by convention an Error.
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
    const timer = setTimeout(call, durationMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
