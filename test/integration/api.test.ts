// The REST listener over a real socket, with the rooms behind it replaced by simple objects.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { createEventRing, openApi } from '@foreshadow/controller/api/index.ts';
import type { Api, ApiPorts, CommandRequest } from '@foreshadow/controller/api/index.ts';
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
  pairIdOf,
  pairStateSchema,
  parseCommandId,
  parseHostId,
  parseIncidentId,
  problemSchema,
  seriesSchema,
  trackedItemSchema,
  verdictSchema,
  versionSchema,
} from '@foreshadow/model';
import type {
  CloudEvent,
  CommandRecord,
  Drift,
  HostId,
  HostRecord,
  Incident,
  PairDeviation,
  PairState,
  TrackedItem,
} from '@foreshadow/model';
import { CodedError, checkValue, createLogger, systemClock } from '@foreshadow/runtime';

const production = trusted(parseHostId('shop-production'));
const shadow = trusted(parseHostId('shop-shadow'));
const pairId = pairIdOf(production, shadow);
const incidentId = trusted(parseIncidentId('inc-000000000001'));
const commandId = trusted(parseCommandId('cmd-000000000001'));
const digest = '0123456789abcdef0123456789abcdef';

function trusted<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}

function hostOf(id: HostId): HostRecord {
  return {
    id,
    role: id === production ? 'production' : 'shadow',
    labels: { role: 'shop' },
    scope: 'process',
    agentVersion: '0.1.0',
    firstSeenMs: 1,
    lastSeenMs: 2,
    isConnected: true,
    inventory: {},
  };
}

const pairState: PairState = {
  pair: { id: pairId, production, shadow, origin: 'explicit' },
  driftCount: 1,
  verdict: {
    pair: pairId,
    atMs: 10,
    status: 'diverged',
    reason: 'OVER_LIMIT',
    sentence: 'cpu_used_ratio deviates by 0.42, over its limit 0.10.',
    commonCount: 30,
    load: { kind: 'unknown' },
    findings: [
      {
        observable: 'cpu_used_ratio',
        status: 'diverged',
        reason: 'OVER_LIMIT',
        production: 0.2,
        shadow: 0.284,
        deviation: 0.42,
        limits: { deviation: 0.1, velocityPerMinute: 0.05, floor: 0.02 },
        breachCount: 5,
        evaluationCount: 5,
        ruleFired: true,
      },
    ],
  },
};
const deviation: PairDeviation = {
  pair: pairState.pair,
  stepMs: 1_000,
  newestMs: 10_000,
  commonCount: 3,
  load: { kind: 'unknown' },
  deviations: [
    {
      observable: 'cpu_used_ratio',
      history: Float64Array.of(0.1, Number.NaN, 0.42),
      distance: Float64Array.of(0.1, Number.NaN, 0.42),
      deviation: 0.42,
      velocityPeakPerMinute: 0.2,
    },
  ],
};
const drift: Drift = {
  pair: pairId,
  item: 'file:/etc/shop/service.json',
  subject: 'file',
  name: '/etc/shop/service.json',
  difference: 'differs',
  changedSide: 'shadow',
  productionFacts: { content: digest },
  sinceMs: 5,
};
const incident: Incident = {
  id: incidentId,
  pair: pairId,
  kind: 'drift',
  subject: drift.item,
  state: 'open',
  openedMs: 5,
  updatedMs: 5,
  sentence: 'file:/etc/shop/service.json differs.',
  drift,
};
const item: TrackedItem = {
  key: drift.item,
  firstSeenMs: 1,
  changedMs: 2,
  unreadable: 'too-large',
};

interface Bench {
  readonly api: Api;
  readonly ring: ReturnType<typeof createEventRing>;
  readonly requests: CommandRequest[];
  readonly log: string[];
}

async function withApi(
  check: (bench: Bench) => Promise<void>,
  changes: Partial<ApiPorts> = {},
): Promise<void> {
  const ring = createEventRing({ clock: systemClock });
  const requests: CommandRequest[] = [];
  const log: string[] = [];
  const records = new Map<string, CommandRecord>();
  const ports: ApiPorts = {
    hosts: () => [hostOf(shadow), hostOf(production)],
    host: (id) => [production, shadow].filter((known) => known === id).map(hostOf)[0],
    series: () => ({
      times: Float64Array.of(1, 2, 3, 4),
      series: [{ values: Float64Array.of(0.1, Number.NaN, 0, 0.4) }],
    }),
    fingerprints: () => [item, { ...item, key: 'package:zlib' }],
    pairs: () => [pairState],
    pair: (id) => (id === pairId ? pairState : undefined),
    deviation: () => deviation,
    drifts: () => [drift],
    incidents: () => [incident],
    incident: (id) => (id === incidentId ? { incident, records: [] } : undefined),
    commands: () => [...records.values()],
    command: (id) => records.get(id),
    requestCommand: async (asked) => {
      requests.push(asked);
      const { idempotencyKey: _, ...command } = asked;
      const record: CommandRecord = {
        command: { id: commandId, timeLimitMs: 1_000, ...command },
        state: 'sent',
        sentMs: requests.length,
      };
      records.set(commandId, record);
      return record;
    },
    events: ring.read,
    health: () => ({ isOk: true, reasons: [] }),
    readiness: () => ({
      isOk: false,
      reasons: [{ code: 'BROKER_DOWN', sentence: 'The broker does not answer.' }],
    }),
    version: () => ({ version: '0.1.0', node: 'v26.0.0', startedMs: 1 }),
    metrics: () => [
      {
        name: 'foreshadow_batches_total',
        kind: 'counter',
        meaning: 'Batches.',
        samples: [{ labels: { host: 'a' }, value: 3 }],
      },
    ],
    ...changes,
  };
  const logger = createLogger({
    program: 'test',
    level: 'debug',
    format: 'json',
    clock: systemClock,
    write: (line) => log.push(line),
  });
  await using api = await openApi({
    ports,
    host: '127.0.0.1',
    port: 0,
    logger,
    clock: systemClock,
  });
  await check({ api, ring, requests, log });
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function ask(api: Api, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${api.url}${path}`, init);
  const body = (await response.json()) as Record<string, unknown>; // Every answer here is a JSON object.
  return { status: response.status, headers: response.headers, body };
}

function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** @returns the problem, checked against its schema. */
async function refused(
  api: Api,
  path: string,
  expected: { readonly status: number; readonly code: string; readonly init?: RequestInit },
): Promise<Answer> {
  const answer = await ask(api, path, expected.init);
  assert.deepEqual(checkValue(problemSchema, answer.body).mistakes, []);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(answer.status, expected.status, JSON.stringify(answer.body));
  assert.equal(answer.body['code'], expected.code);
  return answer;
}

const restoreBody = {
  host: shadow,
  order: { kind: 'restore', item: drift.item, expectedDigest: digest, targetDigest: digest },
  isDryRun: true,
  reason: 'the shadow drifted',
};

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

function eventOf(number: number): CloudEvent {
  return {
    specversion: '1.0',
    id: `e${number}`,
    source: '/controller',
    type: 'com.foreshadow.verdict.changed.v1',
    subject: pairId,
    time: '2026-01-01T00:00:00Z',
    datacontenttype: 'application/json',
    data: { number },
  };
}

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

test('a body that is not JSON, too large, of another type or without a reason is refused', async () => {
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

test('a command that cannot be sent is 409 with the code and the sentence of the refusal', async () => {
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

test('an event wakes whoever waits for it', async () => {
  await withApi(async ({ api, ring }) => {
    ring.append(eventOf(1));
    const waiting = ask(api, '/api/v1/events?after=1&waitMs=20000');
    await ask(api, '/api/v1/events'); // A whole exchange later the first question has been read as well.
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
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example:7470' };
      httpRequest(`${api.url}/version`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(status, 421);
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
    const open = (host: string): Promise<Api> =>
      openApi({ ports: {} as ApiPorts, host, port: api.port, logger, clock: systemClock }); // Never asked.
    await assert.rejects(open('127.0.0.1'), { code: 'PORT_IN_USE', message: /set api\.port/ });
    await assert.rejects(open('0.0.0.0'), { code: 'NOT_LOOPBACK' });
    await assert.rejects(open('127.0.0.1'.replace('1', '2')), { code: 'NOT_LOOPBACK' });
  });
});
