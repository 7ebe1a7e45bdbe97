// Proves that a key sends one command, that keys are bounded, and that a failure can be tried
// again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandRecord } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_KEYS_MAX, createOnce } from './idempotency.ts';

const time = { nowMs: 0 };
const clock: Clock = {
  nowMs: () => time.nowMs,
  monotonicMs: () => time.nowMs,
  sleep: async () => undefined,
  after: () => ({ cancel: () => undefined }),
};
const record = { sentMs: 1 } as CommandRecord; // Passed through, never looked into.

function counted(): { readonly act: () => Promise<CommandRecord>; readonly calls: () => number } {
  let calls = 0;
  const act = async (): Promise<CommandRecord> => {
    calls += 1;
    return record;
  };
  return { act, calls: () => calls };
}

test('without a key every request is sent', async () => {
  const once = createOnce(clock);
  const { act, calls } = counted();
  await once(undefined, {}, act);
  await once(undefined, {}, act);
  assert.equal(calls(), 2);
});

test('a request that failed may be repeated under its key', async () => {
  const once = createOnce(clock);
  const failing = async (): Promise<CommandRecord> => {
    throw new Error('no');
  };
  await assert.rejects(once('k', {}, failing));
  assert.equal(await once('k', {}, async () => record), record);
});

test('a key is forgotten when it is old and when there are too many', async () => {
  const once = createOnce(clock);
  const { act, calls } = counted();
  await once('k', {}, act);
  time.nowMs += IDEMPOTENCY_KEPT_MS + 1;
  await once('k', {}, act);
  assert.equal(calls(), 2);
  for (let index = 0; index < IDEMPOTENCY_KEYS_MAX; index += 1) await once(`k${index}`, {}, act);
  await once('k', {}, act);
  assert.equal(calls(), 3 + IDEMPOTENCY_KEYS_MAX);
});

test('a key with control characters or of great length is refused', async () => {
  const once = createOnce(clock);
  for (const key of ['a\n', 'é', 'x'.repeat(129)])
    await assert.rejects(
      once(key, {}, async () => record),
      { code: 'IDEMPOTENCY_KEY_INVALID' },
    );
});
