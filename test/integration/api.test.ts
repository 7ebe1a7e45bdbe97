// The REST listener over a real socket, with the rooms behind it replaced by simple objects.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { openApi, type Api, type ApiPorts } from '@foreshadow/controller/api/index.ts';
import {
  commandRecordSchema,
  conditionSchema,
  deviationAnswerSchema,
  driftSchema,
  eventPageSchema,
  hostRecordSchema,
  incidentSchema,
  incidentStorySchema,
  pageSchema,
  pairStateSchema,
  seriesSchema,
  trackedItemSchema,
  verdictSchema,
  versionSchema,
} from '@foreshadow/model';
import type { CommandRecord, HostRecord } from '@foreshadow/model';
import { CodedError, checkValue, createLogger, systemClock } from '@foreshadow/runtime';

import {
  ask,
  commandId,
  eventOf,
  incidentId,
  pairId,
  post,
  production,
  refused,
  restoreBody,
  shadow,
  withApi,
} from '../support/api-scene.ts';
import type { Answer, Bench } from '../support/api-scene.ts';

test('every answer has the shape of its schema', async () => {
  await withApi(async ({ api, ring }) => {
    ring.append(eventOf(1));
    await ask(api, '/api/v1/commands', post(restoreBody));
    const shapes: readonly [string, object, number][] = [
      ['/api/v1/hosts', pageSchema(hostRecordSchema), 200],
      [`/api/v1/hosts/${shadow}`, hostRecordSchema, 200],
      [`/api/v1/hosts/${shadow}/series?metric=cpu_user_seconds_total`, seriesSchema, 200],
      [`/api/v1/hosts/${shadow}/fingerprints`, pageSchema(trackedItemSchema), 200],
      ['/api/v1/pairs', pageSchema(pairStateSchema), 200],
      [`/api/v1/pairs/${pairId}`, pairStateSchema, 200],
      [`/api/v1/pairs/${pairId}/verdict`, verdictSchema, 200],
      [`/api/v1/pairs/${pairId}/deviation`, deviationAnswerSchema, 200],
      [`/api/v1/pairs/${pairId}/drift`, pageSchema(driftSchema), 200],
      ['/api/v1/incidents?state=open', pageSchema(incidentSchema), 200],
      [`/api/v1/incidents/${incidentId}`, incidentStorySchema, 200],
      ['/api/v1/commands', pageSchema(commandRecordSchema), 200],
      [`/api/v1/commands/${commandId}`, commandRecordSchema, 200],
      ['/api/v1/events', eventPageSchema, 200],
      ['/healthz', conditionSchema, 200],
      ['/readyz', conditionSchema, 503],
      ['/version', versionSchema, 200],
    ];
    for (const [path, schema, status] of shapes) {
      const answer = await ask(api, path);
      assert.equal(answer.status, status, `${path} ${JSON.stringify(answer.body)}`);
      assert.deepEqual(checkValue(schema, answer.body).mistakes, [], path);
    }
  });
});

test('lists come in pages that a cursor continues, and a foreign cursor is refused', async () => {
  await withApi(async ({ api }) => {
    const first = await ask(api, '/api/v1/hosts?limit=1');
    assert.equal((first.body['items'] as HostRecord[])[0]?.id, production);
    const second = await ask(
      api,
      `/api/v1/hosts?limit=1&cursor=${String(first.body['nextCursor'])}`,
    );
    assert.equal((second.body['items'] as HostRecord[])[0]?.id, shadow);
    assert.equal(second.body['nextCursor'], undefined);
    await refused(api, '/api/v1/hosts?cursor=%2A', { status: 400, code: 'CURSOR_INVALID' });
  });
});

test('an absent value in a series is left out, never zero', async () => {
  await withApi(async ({ api }) => {
    const { body } = await ask(api, `/api/v1/hosts/${shadow}/series?metric=tasks`);
    assert.deepEqual(body['series'], [{ timesMs: [1, 3, 4], values: [0.1, 0, 0.4] }]);
    const { body: thin } = await ask(
      api,
      `/api/v1/hosts/${shadow}/series?metric=tasks&pointsMax=2`,
    );
    assert.deepEqual(thin['series'], [{ timesMs: [1, 4], values: [0.1, 0.4] }]);
  });
});

test('an unknown query key, a wrong value and an empty span are named', async () => {
  await withApi(async ({ api }) => {
    const invalid = { status: 400, code: 'REQUEST_INVALID' };
    const unknown = await refused(api, '/api/v1/hosts?limt=3', invalid);
    assert.deepEqual(unknown.body['errors'], [
      { pointer: '#/query/limt', detail: 'is not a known key; did you mean limit?' },
    ]);
    await refused(api, '/api/v1/hosts?limit=0', invalid);
    await refused(api, '/api/v1/hosts?limit=1e3', invalid);
    await refused(api, '/api/v1/hosts?limit=1&limit=2', invalid);
    await refused(api, '/healthz?x=1', invalid);
    await refused(api, '/api/v1/hosts/Shop', invalid);
    await refused(api, `/api/v1/hosts/${shadow}/series?metric=cpu`, invalid);
    await refused(api, `/api/v1/hosts/${shadow}/series?metric=tasks&startMs=5&endMs=5`, invalid);
  });
});

test('what does not exist is 404 with the nearest known name', async () => {
  await withApi(async ({ api }) => {
    const missing = { status: 404, code: 'NOT_FOUND' };
    const host = await refused(api, '/api/v1/hosts/shop-shadw', missing);
    assert.match(String(host.body['detail']), /did you mean shop-shadow\?/);
    await refused(api, '/api/v1/hosts/other/fingerprints', missing);
    await refused(api, '/api/v1/pairs/shop-production_shop', missing);
    await refused(api, '/api/v1/incidents/inc-ffffffffffff', missing);
    await refused(api, '/api/v1/commands/cmd-ffffffffffff', missing);
    const route = await refused(api, '/api/v1/host', { status: 404, code: 'ROUTE_NOT_FOUND' });
    assert.match(String(route.body['detail']), /did you mean \/api\/v1\/hosts\?/);
  });
});

test('a known path with another method is 405 and says which it takes', async () => {
  await withApi(async ({ api }) => {
    const init = { method: 'DELETE' };
    const answer = await refused(api, '/api/v1/hosts', {
      status: 405,
      code: 'METHOD_NOT_ALLOWED',
      init,
    });
    assert.equal(answer.headers.get('allow'), 'GET, HEAD');
  });
});

test('a body that is broken, too large, of a wrong type or without reason is refused', async () => {
  await withApi(async ({ api, requests }) => {
    const path = '/api/v1/commands';
    const json = { 'content-type': 'application/json' };
    const broken = { method: 'POST', headers: json, body: '{"host":' };
    await refused(api, path, { status: 400, code: 'BODY_INVALID', init: broken });
    const poisoned = { method: 'POST', headers: json, body: '{"__proto__":{"a":1}}' };
    await refused(api, path, { status: 400, code: 'BODY_INVALID', init: poisoned });
    const empty = { method: 'POST', headers: json, body: '' };
    await refused(api, path, { status: 400, code: 'BODY_INVALID', init: empty });
    const large = post({ ...restoreBody, reason: 'x'.repeat(70_000) });
    await refused(api, path, { status: 413, code: 'BODY_TOO_LARGE', init: large });
    const form = { method: 'POST', body: JSON.stringify(restoreBody) };
    await refused(api, path, { status: 415, code: 'MEDIA_TYPE_UNSUPPORTED', init: form });
    const { reason: _, ...unreasoned } = restoreBody;
    const invalid = { status: 400, code: 'REQUEST_INVALID' };
    const answer = await refused(api, path, { ...invalid, init: post(unreasoned) });
    assert.deepEqual(answer.body['errors'], [
      { pointer: '#/reason', detail: 'is required and missing' },
    ]);
    await refused(api, path, { ...invalid, init: post({ ...restoreBody, isDryRun: 'false' }) });
    await refused(api, path, { ...invalid, init: post({ ...restoreBody, dryRun: true }) });
    assert.equal(requests.length, 0);
  });
});

test('a command under a key is sent once; another body under that key is refused', async () => {
  await withApi(async ({ api, requests }) => {
    const headers = { 'idempotency-key': 'k1' };
    const answers = await Promise.all([
      ask(api, '/api/v1/commands', post(restoreBody, headers)),
      ask(api, '/api/v1/commands', post(restoreBody, headers)),
    ]);
    assert.deepEqual(answers[0].body, answers[1].body);
    assert.equal(answers[0].status, 202);
    assert.equal(answers[0].headers.get('location'), `/api/v1/commands/${commandId}`);
    assert.equal(requests.length, 1);
    assert.equal(requests[0]?.idempotencyKey, 'k1');
    assert.equal(requests[0]?.requestedBy, 'rest');
    const other = post({ ...restoreBody, isDryRun: false }, headers);
    const reused = { status: 422, code: 'IDEMPOTENCY_KEY_REUSED' };
    await refused(api, '/api/v1/commands', { ...reused, init: other });
    const spaced = post(restoreBody, { 'idempotency-key': 'a b' });
    const invalid = { status: 400, code: 'IDEMPOTENCY_KEY_INVALID' };
    await refused(api, '/api/v1/commands', { ...invalid, init: spaced });
  });
});

test('known-good and undo reach the host they name, and no other', async () => {
  await withApi(async ({ api, requests }) => {
    const reason = 'released';
    await ask(api, `/api/v1/hosts/${shadow}/known-good`, post({ reason, requestedBy: 'cli:ann' }));
    assert.deepEqual(requests[0], {
      host: shadow,
      order: { kind: 'mark-known-good' },
      isDryRun: false,
      reason,
      requestedBy: 'cli:ann',
    });
    const order = { kind: 'undo', command: commandId };
    const undo = await ask(api, '/api/v1/commands', post({ host: shadow, order, reason }));
    assert.equal(undo.status, 202);
    await refused(api, '/api/v1/commands', {
      status: 422,
      code: 'COMMAND_OF_OTHER_HOST',
      init: post({ host: production, order, reason }),
    });
  });
});

test('a command that cannot be sent is 409 with the code and sentence of its refusal', async () => {
  const requestCommand = async (): Promise<CommandRecord> => {
    throw new CodedError('HOST_NOT_CONNECTED', 'shop-shadow has no open control stream');
  };
  const check = async ({ api }: Bench): Promise<void> => {
    const conflict = { status: 409, code: 'HOST_NOT_CONNECTED', init: post(restoreBody) };
    const answer = await refused(api, '/api/v1/commands', conflict);
    assert.equal(answer.body['detail'], 'shop-shadow has no open control stream');
  };
  await withApi(check, { requestCommand });
});

test('an internal error tells the caller nothing but where to look', async () => {
  const hosts = (): never => {
    throw new Error('secret path /var/lib/x');
  };
  const check = async ({ api, log }: Bench): Promise<void> => {
    const answer = await refused(api, '/api/v1/hosts', { status: 500, code: 'INTERNAL' });
    assert.doesNotMatch(JSON.stringify(answer.body), /secret/);
    assert.match(log.join(''), new RegExp(`${String(answer.body['requestId'])}.*secret path`));
  };
  await withApi(check, { hosts });
});

test('a pair that was not evaluated yet says so', async () => {
  const check = async ({ api }: Bench): Promise<void> => {
    const notYet = { status: 404, code: 'NOT_YET_EVALUATED' };
    await refused(api, `/api/v1/pairs/${pairId}/deviation`, notYet);
  };
  await withApi(check, { deviation: () => undefined });
});

test('a path that is too long or badly encoded is refused', async () => {
  await withApi(async ({ api }) => {
    const long = { status: 414, code: 'URL_TOO_LONG' };
    await refused(api, `/api/v1/hosts/${'a'.repeat(300)}`, long);
    await refused(api, '/api/v1/hosts/%FF', { status: 400, code: 'URL_INVALID' });
  });
});

test('an event wakes whoever waits for it', async () => {
  await withApi(async ({ api, ring }) => {
    ring.append(eventOf(1));
    const waiting = ask(api, '/api/v1/events?after=1&waitMs=20000');
    // A whole exchange later the first question has been read as well.
    await ask(api, '/api/v1/events');
    ring.append(eventOf(2));
    const { body } = await waiting;
    assert.equal(body['newest'], 2);
  });
});

test('closing ends those who wait for events', async () => {
  let waiting: Promise<Answer> | undefined;
  await withApi(async ({ api }) => {
    waiting = ask(api, '/api/v1/events?waitMs=30000');
    await ask(api, '/version');
  });
  assert.equal((await waiting)?.status, 200);
});

test('metrics are the text that Prometheus reads', async () => {
  await withApi(async ({ api }) => {
    const response = await fetch(`${api.url}/metrics`);
    const text = await response.text();
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(
      text,
      /# TYPE foreshadow_batches_total counter\nforeshadow_batches_total\{host="a"\} 3/,
    );
    assert.match(text, /process_cpu_seconds_total/);
  });
});

test('a name that is not this machine is refused, so that no web page gets through', async () => {
  await withApi(async ({ api }) => {
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { host: 'evil.example:7470' };
      httpRequest(`${api.url}/version`, { headers }, (response) => {
        response.on('data', (chunk: Buffer) =>
          resolve(`${response.statusCode} ${chunk.toString()}`),
        );
      })
        .on('error', reject)
        .end();
    });
    assert.match(answer, /^421 .*"code":"HOST_REFUSED"/);
  });
});

test('what is not HTTP gets a problem and the end of the connection', async () => {
  await withApi(async ({ api }) => {
    const text = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connect(api.port, '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('error', reject);
      socket.on('close', () => resolve(received));
    });
    assert.match(text, /^HTTP\/1\.1 400 .*"code":"HTTP_INVALID"/s);
  });
});

test('a taken port and a foreign address are coded refusals to start', async () => {
  await withApi(async ({ api }) => {
    const logger = createLogger({
      program: 'test',
      level: 'error',
      format: 'json',
      clock: systemClock,
      write: () => undefined,
    });
    const ports = {} as ApiPorts; // Never asked: nothing gets as far as an open port.
    const open = (host: string, port: number): Promise<Api> =>
      openApi({ ports, host, port, logger, clock: systemClock });
    const taken = { code: 'PORT_IN_USE', message: /set api\.port/ };
    await assert.rejects(open('127.0.0.1', api.port), taken);
    await assert.rejects(open('0.0.0.0', 0), { code: 'NOT_LOOPBACK' });
    await assert.rejects(open('127.0.0.1', 70_000), { code: 'LISTEN_FAILED' });
  });
});
