// Proves every command against a controller made of canned answers: what is printed where, and the exit code.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandRecord, Drift, Outcome } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { runCli, type Terminal } from './index.ts';

const NOW_MS = 1_000_000;
const production = 'shop-production';
const shadow = 'shop-shadow';
const pairId = `${production}_${shadow}`;
const path = '/etc/shop/service.json';
const [goodDigest, badDigest] = ['a'.repeat(32), 'b'.repeat(32)];
const commandId = 'cmd-000000000001';

const verdict = {
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
const drift = {
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
const host = {
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
const done: Outcome = { kind: 'done', tookMs: 12, sentence: 'restored', details: {} };

function recordOf(body: object, outcome?: Outcome): object {
  const command = { id: commandId, timeLimitMs: 1_000, ...body };
  return outcome === undefined
    ? { command, state: 'sent', sentMs: 1 }
    : { command, state: 'ended', sentMs: 1, endedMs: 2, outcome };
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly posted: readonly Record<string, unknown>[];
}

interface Scene {
  /** Answers by path, before the usual ones. */
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly outcomes?: readonly Outcome[];
  readonly isTerminal?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly typed?: readonly string[];
  /** The person interrupts at this many waits. */
  readonly stopAtSleep?: number;
  readonly isDown?: boolean;
}

const usual: Readonly<Record<string, unknown>> = {
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
    const { pathname } = new URL(String(input));
    if (init?.method === 'POST') {
      const body = JSON.parse(String(init.body)) as Record<string, unknown>; // Written by the client just now.
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

async function run(words: string, scene: Scene = {}): Promise<Run> {
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
    columns: () => (isTerminal ? 200 : undefined),
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

test('status tells readiness, counts and pairs', async () => {
  const { code, out } = await run('status');
  assert.equal(code, 0);
  assert.match(out, /^controller {2}ready\n/);
  assert.match(out, /1 connected of 1\n/);
  assert.match(out, /pairs +1, 1 diverged\n/);
  const notReady = { isOk: false, reasons: [{ code: 'BROKER_DOWN', sentence: 'No broker.' }] };
  const ill = await run('status', { answers: { '/readyz': notReady } });
  assert.match(ill.out, /not ready +BROKER_DOWN: No broker\.\n/);
});

test('pair get begins with the word, then the sentence, the numbers, the drift and the next command', async () => {
  const { out, error } = await run(`pair get ${pairId}`);
  assert.match(out, new RegExp(`^diverged {2}${pairId}\n${verdict.sentence}\n\n`));
  assert.match(
    out,
    /diverged +cpu_used_ratio +20\.0 % +28\.4 % +42\.0 % +10\.0 % +\+6\.0 % +3\.2 +-\n/,
  );
  assert.match(out, new RegExp(`Next: foreshadow restore ${pairId} ${path} --dry-run\n`));
  assert.match(out, /Next: foreshadow incident get inc-000000000001\n$/);
  assert.equal(error, '');
});

test('json is the answer of the API and lines are its items', async () => {
  assert.deepEqual(JSON.parse((await run('pair list -o json')).out), usual['/api/v1/pairs']);
  assert.deepEqual(JSON.parse((await run('host list -o jsonl')).out), host);
  assert.deepEqual(JSON.parse((await run(`-o json host get ${shadow}`)).out), host);
});

test('an empty list prints nothing on stdout, and a hint only to a person', async () => {
  const answers = { '/api/v1/hosts': { items: [] } };
  assert.deepEqual(await run('host list', { answers }), {
    code: 0,
    out: '',
    error: '',
    posted: [],
  });
  const seen = await run('host list', { answers, isTerminal: true });
  assert.match(seen.error, /^No hosts yet/);
  assert.equal(seen.out, '');
});

test('diff exits with 10 only when asked to', async () => {
  const told = await run(`diff ${pairId} --exit-code`);
  assert.equal(told.code, 10);
  assert.match(
    told.out,
    /differs +file:\/etc\/shop\/service\.json +shadow +1 min 5 s ago +content aaaaaaaa → bbbbbbbb\n/,
  );
  assert.equal((await run(`diff ${pairId}`)).code, 0);
  const answers = { [`/api/v1/pairs/${pairId}/drift`]: { items: [] } };
  assert.equal((await run(`diff ${pairId} --exit-code`, { answers })).code, 0);
});

test('incident get tells the story', async () => {
  const { out } = await run('incident get inc-000000000001');
  assert.match(out, /^open {2}inc-000000000001/);
  assert.match(out, /1970-01-01T00:00:00\.000Z +opened +Opened\.\n/);
});

test('a restore without a person needs a reason and --yes', async () => {
  const bare = await run(`restore ${pairId} ${path}`);
  assert.equal(bare.code, 2);
  assert.match(bare.error, /^error REASON_REQUIRED: /);
  const unconfirmed = await run(`restore ${pairId} ${path} --reason drifted`);
  assert.equal(unconfirmed.code, 2);
  assert.match(unconfirmed.error, /^error CONFIRMATION_REQUIRED: .*--yes/);
  assert.deepEqual([...bare.posted, ...unconfirmed.posted], []);
});

test('a restore puts the side that departed back to the content of the other', async () => {
  const { code, out, posted } = await run(`restore ${pairId} ${path} --reason drifted --yes`);
  assert.deepEqual([code, out], [0, `done  ${shadow}: restored (12 ms)\n`]);
  const order = {
    kind: 'restore',
    item: drift.item,
    expectedDigest: badDigest,
    targetDigest: goodDigest,
  };
  const expected = {
    host: shadow,
    order,
    isDryRun: false,
    reason: 'drifted',
    requestedBy: 'cli:ann',
  };
  assert.deepEqual(posted, [expected]);
});

test('a dry run asks nothing and says that nothing was changed', async () => {
  const { code, error, posted } = await run(`restore ${pairId} ${path} --dry-run`, {
    isTerminal: true,
  });
  assert.equal(code, 0);
  assert.equal(posted[0]?.['isDryRun'], true);
  assert.match(error, /Nothing was changed/);
});

test('on a terminal a restore asks for the reason and for a yes', async () => {
  const words = `restore ${pairId} ${path}`;
  const yes = await run(words, { isTerminal: true, typed: ['because', 'y'] });
  assert.deepEqual([yes.code, yes.posted[0]?.['reason']], [0, 'because']);
  assert.match(yes.error, /Next: foreshadow undo cmd-000000000001/);
  const no = await run(words, { isTerminal: true, typed: ['because', ''] });
  assert.deepEqual([no.code, no.posted.length], [1, 0]);
  assert.match(no.error, /^error DECLINED: nothing was changed/);
});

test('what cannot be restored is refused before anything is asked of the host', async () => {
  const f = async (change: Partial<Drift>, code: number, error: RegExp): Promise<void> => {
    const answers = { [`/api/v1/pairs/${pairId}/drift`]: { items: [{ ...drift, ...change }] } };
    const result = await run(`restore ${pairId} ${path} --dry-run`, { answers });
    assert.match(result.error, error);
    assert.deepEqual([result.code, result.posted], [code, []]);
  };
  await f({ changedSide: undefined } as unknown as Drift, 2, /--side/); // As JSON leaves it out.
  await f({ shadowFacts: {} }, 5, /RESTORE_NOT_POSSIBLE/);
  await f(
    { item: 'file:/etc/shop/service.jso', name: '/etc/shop/service.jso' },
    3,
    /did you mean \/etc\/shop\/service\.jso\?/,
  );
});

test('the outcome of a command decides the exit code', async () => {
  const f = async (outcome: Outcome, code: number): Promise<void> => {
    const words = `restore ${pairId} ${path} --reason r --yes`;
    assert.equal((await run(words, { outcomes: [outcome] })).code, code, outcome.kind);
  };
  await f({ kind: 'refused', code: 'CONTENT_CHANGED', sentence: 's' }, 5);
  await f({ kind: 'failed', code: 'DISK_FULL', sentence: 's' }, 1);
  await f({ kind: 'unknown', sentence: 's' }, 6);
});

test('a command that never ends is given up with a timeout', async () => {
  const { code, error } = await run(`restore ${pairId} ${path} --reason r --yes`, { outcomes: [] });
  assert.equal(code, 6);
  assert.match(error, /^error COMMAND_NOT_ENDED: cmd-000000000001/);
});

test('undo goes to the host of the command', async () => {
  const record = recordOf({ host: production, order: { kind: 'mark-known-good' } }, done);
  const answers = { [`/api/v1/commands/${commandId}`]: record };
  const { code, posted } = await run(`undo ${commandId} --reason wrong --yes`, { answers });
  assert.deepEqual([code, posted[0]?.['host']], [0, production]);
  assert.deepEqual(posted[0]?.['order'], { kind: 'undo', command: commandId });
});

test('marking a pair marks both hosts, and half a success is 7', async () => {
  const words = `known-good mark ${pairId} --reason released`;
  const both = await run(words, { outcomes: [done, done] });
  assert.deepEqual([both.code, both.posted.length], [0, 2]);
  const failed: Outcome = { kind: 'failed', code: 'DISK_FULL', sentence: 's' };
  assert.equal((await run(words, { outcomes: [done, failed] })).code, 7);
  assert.equal((await run(words, { outcomes: [failed, failed] })).code, 1);
  assert.equal((await run(`known-good mark ${shadow}`)).code, 2);
});

test('pair watch writes one line a verdict into a pipe and ends with 130', async () => {
  const { code, out, error } = await run('pair watch', { stopAtSleep: 3 });
  assert.deepEqual([code, error], [130, '']);
  assert.equal(out.split('\n').length - 1, 1);
  assert.equal((JSON.parse(out) as { pair: { id: string } }).pair.id, pairId);
});

test('pair watch draws over itself on a terminal, unless it is a dumb one', async () => {
  const clear = '\u001B[H\u001B[J';
  const drawn = await run(`pair watch ${pairId}`, { stopAtSleep: 2, isTerminal: true });
  assert.equal(drawn.out.split(clear).length - 1, 2);
  const environment = { TERM: 'dumb' };
  const dumb = await run('pair watch', { stopAtSleep: 2, isTerminal: true, environment });
  assert.ok(!dumb.out.includes('\u001B'));
});

test('event watch prints what is new and ends with the error of a controller that goes away', async () => {
  let asked = 0;
  const event = {
    time: '2026-01-01T10:20:30Z',
    type: 'com.foreshadow.incident.opened.v1',
    subject: pairId,
    data: { sentence: 'Opened.' },
  };
  const page = (): object => {
    asked += 1;
    if (asked === 1) return { items: [], newest: 4, missedCount: 0 };
    return { items: [{ sequence: 4 + asked, event }], newest: 4 + asked, missedCount: 0 };
  };
  const answers = {
    get '/api/v1/events'(): unknown {
      return asked < 2 ? page() : undefined;
    },
  };
  const piped = await run('event watch', { answers });
  assert.equal(piped.code, 3);
  assert.deepEqual(JSON.parse(piped.out), { sequence: 6, event });
  asked = 0;
  const seen = await run('event watch', {
    answers,
    isTerminal: true,
    environment: { NO_COLOR: '1' },
  });
  assert.equal(seen.out, `10:20:30  incident.opened  ${pairId}  Opened.\n`);
});

test('colour follows NO_COLOR, FORCE_COLOR, the terminal and TERM, in this order', async () => {
  const f = async (
    environment: Record<string, string>,
    isTerminal: boolean,
    has: boolean,
  ): Promise<void> => {
    const { out } = await run('pair list', { environment, isTerminal });
    assert.equal(out.includes('\u001B[31mdiverged'), has, JSON.stringify(environment));
  };
  await f({}, true, true);
  await f({}, false, false);
  await f({ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false);
  await f({ FORCE_COLOR: '1' }, false, true);
  await f({ FORCE_COLOR: '0' }, true, false);
  await f({ TERM: 'dumb' }, true, false);
});

test('no controller: the message names the address and how to start one', async () => {
  const { code, error } = await run('status --url http://127.0.0.1:9', { isDown: true });
  assert.equal(code, 1);
  assert.match(
    error,
    /CONTROLLER_UNREACHABLE: no controller answers at http:\/\/127\.0\.0\.1:9 .*foreshadow dev/,
  );
  assert.match((await run('version', { isDown: true })).out, /controller {2}none at/);
});

test('mistakes of usage exit with 2 and name what was meant', async () => {
  const unknown = await run('pari list');
  assert.equal(unknown.code, 2);
  assert.match(unknown.error, /Did you mean pair\?/);
  assert.equal((await run('pair get Nonsense!')).code, 2);
  assert.equal((await run('host list --limit many')).code, 2);
  assert.equal((await run('status -o xml')).code, 2);
  assert.equal((await run('status --url nonsense')).code, 2);
  assert.equal((await run('pair watch --interval 0')).code, 2);
});

test('what the controller does not know exits with 3 and its words', async () => {
  const { code, error } = await run('host get other');
  assert.equal(code, 3);
  assert.equal(error, 'error NOT_FOUND: there is no /api/v1/hosts/other\n');
});

test('help of every command ends with examples and exits with 0', async () => {
  const commands =
    'status;pair list;pair get;pair watch;host list;host get;diff;incident list;incident get;event watch;known-good mark;restore;undo;version';
  for (const words of commands.split(';')) {
    const { code, out } = await run(`${words} --help`);
    assert.equal(code, 0, words);
    assert.match(out, new RegExp(`Examples:\n {2}\\$ foreshadow ${words}`), words);
  }
});

test('a record that a test makes is what the model calls one', () => {
  const record = recordOf({}, done) as unknown as CommandRecord; // Canned JSON.
  assert.equal(record.outcome?.kind, 'done');
});
