import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { Clock } from './clock.ts';
import { CLOSE_DEADLINE_MS, Lifecycle, runTogether } from './lifecycle.ts';
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

/** A loop that waits until it is told to end. */
async function wait(signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  await promise;
}

test('a loop that fails ends the others, and its error is thrown', async () => {
  const fatal = new AbortController();
  const stop = new AbortController().signal;
  const failure = new Error('the disk is gone');
  let hasEnded = false;
  const waiting = async (signal: AbortSignal): Promise<void> => {
    await wait(signal).finally(() => {
      hasEnded = true;
    });
  };
  const failing = async (): Promise<void> => {
    await Promise.resolve();
    throw failure;
  };
  await assert.rejects(runTogether([waiting, failing], { stop, fatal }), failure);
  assert.equal(hasEnded, true);
  assert.equal(fatal.signal.reason, failure);
});

test('loops that are told to stop end without an error, whatever they throw then', async () => {
  const stop = new AbortController();
  const running = runTogether([wait, wait], { stop: stop.signal, fatal: new AbortController() });
  stop.abort(new Error('stopped'));
  await running;
});

test('what somebody else calls fatal ends the loops and is thrown', async () => {
  const fatal = new AbortController();
  const running = runTogether([wait], { stop: new AbortController().signal, fatal });
  const reason = new Error('the broker is closed for good');
  fatal.abort(reason);
  await assert.rejects(running, reason);
});
