// Facts about the grid of ticks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, integer, property } from 'fast-check';
import { nextTickMs, TICK_SLACK_RATIO } from './grid.ts';

test('a tick on the grid is followed by the next grid point', () => {
  assert.equal(nextTickMs(20_000, 10_000), 30_000);
});

test('a timer that fired a little early does not make a second tick', () => {
  assert.equal(nextTickMs(19_999, 10_000), 30_000);
});

test('a late tick returns to the grid', () => {
  assert.equal(nextTickMs(26_500, 10_000), 30_000);
});

test('an hour of sleep is followed by one tick', () => {
  const wokenMs = 20_000 + 3_600_123;
  const nextMs = nextTickMs(wokenMs, 1_000);
  assert.ok(nextMs > wokenMs && nextTickMs(nextMs, 1_000) === nextMs + 1_000);
});

test('every next tick is on the grid, more than 0.1 and at most 1.1 intervals away', () => {
  check(
    property(
      integer({ min: 0, max: 4_000_000_000_000 }),
      integer({ min: 100, max: 86_400_000 }),
      (nowMs, intervalMs) => {
        const nextMs = nextTickMs(nowMs, intervalMs);
        assert.equal(nextMs % intervalMs, 0);
        const waitRatio = (nextMs - nowMs) / intervalMs;
        assert.ok(waitRatio > TICK_SLACK_RATIO - 1e-3 && waitRatio <= 1 + TICK_SLACK_RATIO + 1e-3);
      },
    ),
  );
});
