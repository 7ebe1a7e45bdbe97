// In: the wall clock and an interval. Out: when the next tick is due, on a grid that all hosts
// share.
// Never: makes up for missed ticks; after a pause or a jump of the clock there is one tick, not a
// burst.

/**
 * A grid point nearer than this part of the interval is passed over: it is the one whose timer
 * fired a little early.
 */
export const TICK_SLACK_RATIO = 0.1;

/**
 * The next whole multiple of the interval, epoch ms: more than 0.1 and at most 1.1 intervals from
 * now, whatever the clock did before.
 * @param nowMs epoch ms
 * @param intervalMs positive
 */
export function nextTickMs(nowMs: number, intervalMs: number): number {
  return (Math.floor(nowMs / intervalMs + TICK_SLACK_RATIO) + 1) * intervalMs;
}
