import { test } from 'node:test';
import assert from 'node:assert/strict';
import { WAIT_MS_MAX, systemClock } from './clock.ts';

test('a sleep ends, and with the reason of an abort', async () => {
  await systemClock.sleep(1);
  const stop = new AbortController();
  const sleeping = systemClock.sleep(60_000, stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(systemClock.sleep(60_000, stop.signal), /enough/);
});

test('a cancelled call is not made, and another is', async () => {
  const calls: string[] = [];
  systemClock.after(1, () => calls.push('cancelled')).cancel();
  systemClock.after(1, () => calls.push('made'));
  await systemClock.sleep(20);
  assert.deepEqual(calls, ['made']);
});

test('the monotonic clock does not go back', () => {
  const first = systemClock.monotonicMs();
  assert(systemClock.monotonicMs() >= first);
});

test('a wait that Node would end at once is a mistake of the caller', async () => {
  await assert.rejects(systemClock.sleep(WAIT_MS_MAX + 1), assert.AssertionError);
  assert.throws(() => systemClock.after(Infinity, () => {}), assert.AssertionError);
});
