// Facts about a pace: due at once, then once a period, without making up for what was missed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from './clock.ts';
import { createPace } from './pace.ts';

/** Asks at each of the times. */
function answers(timesMs: readonly number[], periodMs: number, slackMs?: number): boolean[] {
  let nowMs = 0;
  const fail = (): never => assert.fail('a pace reads the monotonic clock only');
  const clock: Clock = { nowMs: fail, monotonicMs: () => nowMs, sleep: fail, after: fail };
  const isDue = createPace(clock, periodMs, slackMs);
  return timesMs.map((timeMs) => {
    nowMs = timeMs;
    return isDue();
  });
}

test('it is due at the first asking, whatever the clock says, and then once a period', () => {
  assert.deepEqual(answers([0, 1, 99, 100, 101, 200], 100), [
    true,
    false,
    false,
    true,
    false,
    true,
  ]);
  assert.deepEqual(answers([7_000_000], 100), [true]);
});

test('turns that a slow loop has missed are not made up for', () => {
  assert.deepEqual(answers([0, 1_000, 1_001, 1_100], 100), [true, true, false, true]);
});

test('with slack, a loop that turns a little early is not made to wait a whole turn', () => {
  assert.deepEqual(answers([0, 94, 95], 100, 5), [true, false, true]);
});
