// In: work as fast as it goes, and a clock moved by hand. Out: proof that it keeps to its rate.
// Never: sleeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, type Clock } from '@foreshadow/runtime';
import { PACE_BURST, createPace } from './pace.ts';

test('a small number of units never waits, and many keep to the rate', async () => {
  let nowMs = 0;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => nowMs,
    sleep: async (durationMs) => {
      nowMs += durationMs;
    },
  };
  const { signal } = new AbortController();
  const pace = createPace(clock, 500);
  for (let at = 1; at < PACE_BURST; at += 1) await pace.take(signal);
  assert.equal(nowMs, 0);
  for (let at = PACE_BURST; at <= 2_000; at += 1) await pace.take(signal);
  assert.equal(nowMs, 4_000);
});

test('an aborted pace ends the work', async () => {
  const pace = createPace(systemClock, 500);
  await assert.rejects(pace.take(AbortSignal.abort(new Error('enough'))), /enough/);
});
