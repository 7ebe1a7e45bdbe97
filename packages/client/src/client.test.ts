// Proves what the client does with answers that are slow, large, foreign or refusals.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHostId, type HostId } from '@foreshadow/model';
import { systemClock, type Clock } from '@foreshadow/runtime';
import { RESPONSE_BYTES_MAX, createClient, problemOf } from './index.ts';

const host = parseHostId('web-1') as HostId; // A literal that is one.
const url = 'http://127.0.0.1:1';

function clientOf(
  answer: (url: string, init: RequestInit) => Promise<Response> | Response,
  options: { readonly clock?: Clock; readonly signal?: AbortSignal } = {},
): ReturnType<typeof createClient> {
  const fetching = async (input: unknown, init?: RequestInit): Promise<Response> =>
    answer(String(input), init ?? {});
  return createClient({ url, clock: systemClock, fetch: fetching, ...options });
}

test('a problem becomes an error with its code, its detail and the whole problem', async () => {
  const problem = { code: 'NOT_FOUND', detail: 'there is no host web-1', status: 404 };
  const client = clientOf(() => Response.json(problem, { status: 404 }));
  await assert.rejects(client.host(host), (error: Error) => {
    assert.deepEqual(problemOf(error), problem);
    return 'code' in error && error.code === 'NOT_FOUND' && error.message === problem.detail;
  });
});

test('a readiness that does not hold is an answer, not an error', async () => {
  const condition = { isOk: false, reasons: [{ code: 'A', sentence: 'b' }] };
  const client = clientOf(() => Response.json(condition, { status: 503 }));
  assert.deepEqual(await client.readiness(), condition);
});

test('text, numbers and bare errors are refused as no answer of a controller', async () => {
  for (const answer of ['<html>', '7', 'null', ''])
    await assert.rejects(clientOf(() => new Response(answer)).hosts(), {
      code: 'RESPONSE_INVALID',
    });
  const bare = clientOf(() => Response.json({}, { status: 502 }));
  await assert.rejects(bare.hosts(), { code: 'RESPONSE_INVALID' });
});

test('an answer beyond the bound is cut off', async () => {
  const chunk = new Uint8Array(RESPONSE_BYTES_MAX / 4 + 1);
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: (to) => to.enqueue(chunk) });
  await assert.rejects(clientOf(() => new Response(endless)).hosts(), {
    code: 'RESPONSE_TOO_LARGE',
  });
});

test('a refused connection names the address', async () => {
  const client = createClient({ url, clock: systemClock });
  await assert.rejects(client.hosts(), {
    code: 'CONTROLLER_UNREACHABLE',
    message: /^no controller answers at http:\/\/127\.0\.0\.1:1 /,
  });
});

function untilAborted(init: RequestInit): Promise<Response> {
  const { promise, reject } = Promise.withResolvers<Response>();
  init.signal?.addEventListener('abort', () => reject(new Error('aborted')));
  return promise;
}

test('silence ends at the time limit', async () => {
  const clock: Clock = {
    ...systemClock,
    after: (_, call) => {
      queueMicrotask(call);
      return { cancel: () => undefined };
    },
  };
  const client = clientOf((_, init) => untilAborted(init), { clock });
  await assert.rejects(client.hosts(), { code: 'REQUEST_TIMEOUT' });
});

test('an abort by the caller is not called a timeout', async () => {
  const stop = new AbortController();
  const client = clientOf((_, init) => untilAborted(init), { signal: stop.signal });
  const waiting = client.events({ after: 0, waitMs: 1_000 });
  stop.abort(new Error('stopped'));
  await assert.rejects(waiting, { message: 'stopped' });
});

test('queries leave out what is absent and bodies carry the key', async () => {
  const seen: [string, RequestInit][] = [];
  const client = clientOf((asked, init) => {
    seen.push([asked, init]);
    return Response.json({});
  });
  await client.incidents({ limit: 2, state: 'open' });
  await client.markKnownGood(host, { reason: 'ok' }, { idempotencyKey: 'k' });
  assert.equal(seen[0]?.[0], `${url}/api/v1/incidents?limit=2&state=open`);
  assert.equal(seen[1]?.[1].body, '{"reason":"ok"}');
  assert.equal(new Headers(seen[1]?.[1].headers).get('idempotency-key'), 'k');
});

test('what is no URL of HTTP is refused before any request', () => {
  for (const wrong of ['', '127.0.0.1:7470', 'ftp://x'])
    assert.throws(() => createClient({ url: wrong, clock: systemClock }), { code: 'URL_INVALID' });
});
