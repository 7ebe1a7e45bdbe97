// In: a clock and a rate. Out: waiting, so that long work leaves the machine to others.
// Never: saves up time for a burst; each piece of work has a pace of its own.

import type { Clock } from '@foreshadow/runtime';

/** Units that pass before the rate is looked at. */
export const PACE_BURST = 100;

export interface Pace {
  /**
   * Counts one unit; waits when the work is ahead of its rate. @throws the signal's reason when
   * aborted
   */
  take(signal: AbortSignal): Promise<void>;
}

export function createPace(clock: Clock, perSecondMax: number): Pace {
  const startMs = clock.monotonicMs();
  let count = 0;
  return {
    take: async (signal) => {
      signal.throwIfAborted();
      count += 1;
      if (count % PACE_BURST !== 0) return;
      const aheadMs = startMs + (count * 1000) / perSecondMax - clock.monotonicMs();
      if (aheadMs > 0) await clock.sleep(aheadMs, signal);
    },
  };
}
