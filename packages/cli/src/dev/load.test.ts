// Facts about the load: at the rate that was asked for, alike for all, and never queued.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { test } from 'node:test';
import type { Clock } from '@foreshadow/runtime';
import { REQUESTS_IN_FLIGHT_MAX, runLoad } from './load.ts';

const LIMIT = { timeout: 20_000 };
const TURNS = 2_000;

async function listen(answer: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { server, port: address.port };
}

/** A clock that runs as fast as the requests do; `onSleep` sees the time after each wait. */
function createRunningClock(onSleep: (nowMs: number) => Promise<void> | void): Clock {
  let nowMs = 0;
  const fail = (): never => assert.fail('the load waits and reads the monotonic clock only');
  return {
    nowMs: fail,
    monotonicMs: () => nowMs,
    sleep: async (durationMs, signal) => {
      signal?.throwIfAborted();
      nowMs += durationMs;
      await onSleep(nowMs);
      signal?.throwIfAborted();
    },
    after: fail,
  };
}

test('as many requests are sent as the rate says, each with a path of its own', LIMIT, async () => {
  const paths = new Set<string>();
  const arrived = new Map<number, () => void>();
  const { server, port } = await listen((request, response) => {
    paths.add(request.url ?? '');
    response.end('ok');
    arrived.get(paths.size)?.();
  });
  const stop = new AbortController();
  let sentCount = 0;
  const clock = createRunningClock(async (nowMs) => {
    if (sentCount > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      arrived.set(sentCount, resolve);
      if (paths.size < sentCount) await promise;
    }
    sentCount += 1;
    if (nowMs >= 1_000) stop.abort();
  });
  const [counts] = await runLoad([{ port, rate: 40 }], clock, stop.signal);
  assert.equal(paths.size, 39); // The fortieth falls on the end.
  assert.ok([...paths].every((path) => /^\/order\/\d{10}$/.test(path)));
  assert.equal(counts?.leftOutCount, 0);
  server.close();
});

test(
  'a service that does not answer gets a bounded number of requests, the rest is left out',
  LIMIT,
  async () => {
    const { server, port } = await listen(() => undefined);
    const stop = new AbortController();
    const clock = createRunningClock((nowMs) => {
      if (nowMs >= 2_000) stop.abort();
    });
    const [counts] = await runLoad([{ port, rate: 100 }], clock, stop.signal);
    assert.equal(counts?.leftOutCount, 199 - REQUESTS_IN_FLIGHT_MAX);
    assert.equal(counts?.answeredCount, 0);
    server.closeAllConnections();
    server.close();
  },
);

test(
  'a service that is not there, or answers with an error, is counted as failed',
  LIMIT,
  async () => {
    const { server, port } = await listen((_request, response) => {
      response.statusCode = 500;
      response.end();
    });
    const gone = await listen(() => undefined);
    gone.server.close();
    await once(gone.server, 'close');
    const stop = new AbortController();
    let turnCount = 0;
    const clock = createRunningClock(async () => {
      turnCount += 1;
      if (turnCount > TURNS) stop.abort();
      const { promise, resolve } = Promise.withResolvers<void>();
      setImmediate(resolve);
      await promise;
    });
    const targets = [port, gone.port].map((target) => ({ port: target, rate: 100 }));
    const counts = await runLoad([...targets, { port, rate: 0 }], clock, stop.signal);
    const [failing, absent, idle] = counts;
    assert.equal(failing?.answeredCount, 0);
    assert.ok((failing?.failedCount ?? 0) > 0);
    assert.ok((absent?.failedCount ?? 0) > 0);
    assert.deepEqual(idle, { answeredCount: 0, failedCount: 0, leftOutCount: 0 });
    server.closeAllConnections();
    server.close();
  },
);
