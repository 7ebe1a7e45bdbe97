// In: a clock and a period. Out: whether something that a loop does now and then is due.
// Never: makes up for turns that a slow loop has missed.

import type { Clock } from './clock.ts';

/**
 * @returns a question which is true at the first asking, and then at most once a period (less
 * `slackMs`, for loops that turn a little early)
 */
export function createPace(clock: Clock, periodMs: number, slackMs = 0): () => boolean {
  let doneMs = -Infinity;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - doneMs < periodMs - slackMs) return false;
    doneMs = nowMs;
    return true;
  };
}
