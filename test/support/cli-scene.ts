// The command line with a person, a clock and a controller made of canned answers.

import type { Outcome } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { runCli, type Terminal } from '../../packages/cli/src/index.ts';

export const NOW_MS = 1_000_000;
export const production = 'shop-production';
export const shadow = 'shop-shadow';
export const pairId = `${production}_${shadow}`;
export const path = '/etc/shop/service.json';
export const [goodDigest, badDigest] = ['a'.repeat(32), 'b'.repeat(32)];
export const commandId = 'cmd-000000000001';

export const verdict = {
  pair: pairId,
  atMs: NOW_MS - 2_000,
  status: 'diverged',
  reason: 'OVER_LIMIT',
  sentence: 'cpu_used_ratio deviates by 42 %.',
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
      velocityPerMinute: 0.06,
      excess: 3.21,
      limits: { deviation: 0.1, velocityPerMinute: 0.05, floor: 0.02 },
      breachCount: 5,
      evaluationCount: 5,
      ruleFired: true,
    },
  ],
};
const pair = { id: pairId, production, shadow, origin: 'explicit' };
export const drift = {
  pair: pairId,
  item: `file:${path}`,
  subject: 'file',
  name: path,
  difference: 'differs',
  changedSide: 'shadow',
  productionFacts: { content: goodDigest, mode: '0644' },
  shadowFacts: { content: badDigest, mode: '0644' },
  sinceMs: NOW_MS - 65_000,
};
const incident = {
  id: 'inc-000000000001',
  pair: pairId,
  kind: 'drift',
  subject: drift.item,
  state: 'open',
  openedMs: NOW_MS - 65_000,
  updatedMs: NOW_MS,
  sentence: `${path} differs.`,
  drift,
};
export const host = {
  id: shadow,
  role: 'shadow',
  labels: { app: 'shop' },
  scope: 'process',
  agentVersion: '0.1.0',
  firstSeenMs: 0,
  lastSeenMs: NOW_MS - 1_000,
  isConnected: true,
  inventory: { kernel: '6.1' },
};
export const done: Outcome = { kind: 'done', tookMs: 12, sentence: 'restored', details: {} };

export function recordOf(body: object, outcome?: Outcome): object {
  const command = { id: commandId, timeLimitMs: 1_000, ...body };
  return outcome === undefined
    ? { command, state: 'sent', sentMs: 1 }
    : { command, state: 'ended', sentMs: 1, endedMs: 2, outcome };
}

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly posted: readonly Record<string, unknown>[];
}

export interface Scene {
  /** Answers by path, before the usual ones. */
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly outcomes?: readonly Outcome[];
  readonly isTerminal?: boolean;
  readonly columns?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly typed?: readonly string[];
  /** The person interrupts at this many waits. */
  readonly stopAtSleep?: number;
  readonly isDown?: boolean;
}

export const usual: Readonly<Record<string, unknown>> = {
  '/version': { version: '0.1.0', node: 'v26', startedMs: NOW_MS - 60_000 },
  '/readyz': { isOk: true, reasons: [] },
  '/api/v1/hosts': { items: [host] },
  [`/api/v1/hosts/${shadow}`]: host,
  '/api/v1/pairs': { items: [{ pair, verdict, driftCount: 1 }] },
  [`/api/v1/pairs/${pairId}`]: { pair, verdict, driftCount: 1 },
  [`/api/v1/pairs/${pairId}/drift`]: { items: [drift] },
  '/api/v1/incidents': { items: [incident] },
  '/api/v1/incidents/inc-000000000001': {
    incident,
    records: [
      {
        sequence: 1,
        incident: incident.id,
        atMs: 0,
        change: 'opened',
        sentence: 'Opened.',
        details: {},
      },
    ],
  },
};

function fetchOf(scene: Scene, posted: Record<string, unknown>[]): typeof fetch {
  const outcomes = [...(scene.outcomes ?? [done])];
  let last: object = {};
  return async (input, init) => {
    if (scene.isDown === true)
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
      });
    const { pathname } = new URL(input as string);
    if (init?.method === 'POST') {
      // Written by the client just now.
      const body = JSON.parse(init.body as string) as Record<string, unknown>;
      posted.push(body);
      const target = {
        host: pathname.split('/')[4] ?? shadow,
        order: { kind: 'mark-known-good' },
        ...body,
      };
      last = recordOf(target, outcomes.shift());
      return Response.json(recordOf(target), { status: 202 });
    }
    if (pathname === `/api/v1/commands/${commandId}` && posted.length > 0)
      return Response.json(last);
    const answer = scene.answers?.[pathname] ?? usual[pathname];
    const problem = { code: 'NOT_FOUND', detail: `there is no ${pathname}`, status: 404 };
    return answer === undefined ? Response.json(problem, { status: 404 }) : Response.json(answer);
  };
}

export async function run(words: string, scene: Scene = {}): Promise<Run> {
  const [out, error]: [string[], string[]] = [[], []];
  const posted: Record<string, unknown>[] = [];
  const stop = new AbortController();
  const typed = [...(scene.typed ?? [])];
  let sleeps = 0;
  let keys = 0;
  const clock: Clock = {
    nowMs: () => NOW_MS,
    monotonicMs: () => sleeps * 1_000,
    sleep: async (_, signal) => {
      sleeps += 1;
      if (sleeps === scene.stopAtSleep) stop.abort(new Error('stopped'));
      signal?.throwIfAborted();
    },
    after: () => ({ cancel: () => undefined }),
  };
  const isTerminal = scene.isTerminal ?? false;
  const terminal: Terminal = {
    environment: { USER: 'ann', ...scene.environment },
    isOutTerminal: isTerminal,
    isErrorTerminal: isTerminal,
    isInTerminal: isTerminal,
    columns: () => scene.columns ?? (isTerminal ? 200 : undefined),
    writeOut: (text) => void out.push(text),
    writeError: (text) => void error.push(text),
    ask: async () => typed.shift() ?? '',
    clock,
    fetch: fetchOf(scene, posted),
    newKey: () => `key-${(keys += 1)}`,
    stop: stop.signal,
  };
  const code = await runCli(words.split(' '), terminal);
  return { code, out: out.join(''), error: error.join(''), posted };
}
