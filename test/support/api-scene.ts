// The REST listener on a free port, with simple objects in place of the rooms behind it.

import assert from 'node:assert/strict';
import { createEventRing, openApi } from '@foreshadow/controller/api/index.ts';
import type { Api, ApiPorts, CommandRequest } from '@foreshadow/controller/api/index.ts';
import {
  pairIdOf,
  parseCommandId,
  parseHostId,
  parseIncidentId,
  problemSchema,
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
import { checkValue, createLogger, systemClock } from '@foreshadow/runtime';

export const production = trusted(parseHostId('shop-production'));
export const shadow = trusted(parseHostId('shop-shadow'));
export const pairId = pairIdOf(production, shadow);
export const incidentId = trusted(parseIncidentId('inc-000000000001'));
export const commandId = trusted(parseCommandId('cmd-000000000001'));
export const digest = '0123456789abcdef0123456789abcdef';

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
export const drift: Drift = {
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

export interface Bench {
  readonly api: Api;
  readonly ring: ReturnType<typeof createEventRing>;
  readonly requests: CommandRequest[];
  readonly log: string[];
}

export async function withApi(
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

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export async function ask(api: Api, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${api.url}${path}`, init);
  // Every answer here is a JSON object.
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body };
}

export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** @returns the problem, checked against its schema. */
export async function refused(
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

export const restoreBody = {
  host: shadow,
  order: { kind: 'restore', item: drift.item, expectedDigest: digest, targetDigest: digest },
  isDryRun: true,
  reason: 'the shadow drifted',
};

export function eventOf(number: number): CloudEvent {
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
