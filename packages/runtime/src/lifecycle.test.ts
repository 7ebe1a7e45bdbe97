import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { Clock } from './clock.ts';
import { CLOSE_DEADLINE_MS, Lifecycle } from './lifecycle.ts';
import type { Logger } from './logger.ts';

/** A clock whose deadlines pass when the test says so. */
function createFixture(): {
  readonly lifecycle: Lifecycle;
  readonly lines: string[];
  readonly deadlines: (() => void)[];
} {
  const lines: string[] = [];
  const deadlines: (() => void)[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep: async () => {},
    after: (durationMs, call) => {
      assert.equal(durationMs, CLOSE_DEADLINE_MS);
      deadlines.push(call);
      return { cancel: () => {} };
    },
  };
  const write: Logger['error'] = (message, fields) =>
    lines.push(`${message} ${String(fields?.['part'])} ${String(fields?.['reason'])}`);
  const logger: Logger = { debug: () => {}, info: write, warn: write, error: write };
  return { lifecycle: new Lifecycle({ logger, clock }), lines, deadlines };
}

test('parts close in the mirrored order, once', async () => {
  const { lifecycle, lines } = createFixture();
  const closed: string[] = [];
  lifecycle.onClose('broker', () => void closed.push('broker'));
  const store = { [Symbol.asyncDispose]: async () => void closed.push('store') };
  assert.equal(lifecycle.own('store', store), store);
  await lifecycle.close();
  await lifecycle[Symbol.asyncDispose]();
  assert.deepEqual(closed, ['store', 'broker']);
  assert.deepEqual(lines, []);
});

test('a part that fails to close is told, and the next one is closed', async () => {
  const { lifecycle, lines } = createFixture();
  const closed: string[] = [];
  lifecycle.onClose('first', () => void closed.push('first'));
  lifecycle.onClose('second', async () => {
    throw new Error('stuck');
  });
  lifecycle.onClose('third', () => {
    throw new Error('broken');
  });
  await lifecycle.close();
  assert.deepEqual(closed, ['first']);
  assert.deepEqual(lines, ['could not close third broken', 'could not close second stuck']);
});

test('a part that hangs is left behind after its deadline: CLOSE_TIMEOUT', async () => {
  const { lifecycle, lines, deadlines } = createFixture();
  const closed: string[] = [];
  lifecycle.onClose('first', () => void closed.push('first'));
  lifecycle.onClose('hanging', () => Promise.withResolvers<void>().promise);
  const closing = lifecycle.close();
  deadlines[0]?.();
  await closing;
  assert.deepEqual(closed, ['first']);
  assert.match(lines[0] ?? '', /^could not close hanging hanging did not close within/);
});
