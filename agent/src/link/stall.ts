// In: a clock. Out: how long this process did not run, lately.
// Never: compares clocks of two hosts; they may differ by more than a command may be old.

import type { Clock, Timer } from '@foreshadow/runtime';

export const HEARTBEAT_MS = 1_000;
/** Longer than a busy machine delays a timer, shorter than anybody waits for a command. */
export const COMMAND_STALL_MS = 5_000;

/** Beats once a second; a late beat means that the process was stopped or starved. */
export interface StallWatch extends Disposable {
  /**
   * The longer of the time since the last beat and the time between the last two, ms. So it tells
   * of a stall before the first beat after it, when the loop reads its sockets before its timers,
   * and for one beat longer, until what lay in the sockets has been read.
   */
  stalledMs(): number;
}

export function openStallWatch(clock: Pick<Clock, 'monotonicMs' | 'after'>): StallWatch {
  let beatMs = clock.monotonicMs();
  let betweenMs = 0;
  let timer: Timer;
  const beat = (): void => {
    const nowMs = clock.monotonicMs();
    betweenMs = nowMs - beatMs;
    beatMs = nowMs;
    timer = clock.after(HEARTBEAT_MS, beat);
  };
  beat();
  return {
    stalledMs: () => Math.max(betweenMs, clock.monotonicMs() - beatMs),
    [Symbol.dispose]: () => timer.cancel(),
  };
}
