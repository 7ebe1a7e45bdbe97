// Proves what every command prints, where, and with which exit code.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { host, pairId, path, run, shadow, usual, verdict } from '../support/cli-scene.ts';

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

test('pair get goes from the word to the sentence, the numbers and the next command', async () => {
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

test('event watch prints what is new and ends with the error of its controller', async () => {
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

test('a watch outlasts a restart of its controller, and says so once', async () => {
  let asked = 0;
  const event = { time: '2026-01-01T10:20:30Z', type: 'a', subject: pairId, data: {} };
  const answers = {
    get '/api/v1/events'(): unknown {
      asked += 1;
      if (asked === 1) return { items: [], newest: 9, missedCount: 0 };
      if (asked <= 4) throw new TypeError('fetch failed');
      if (asked === 5) return { items: [{ sequence: 1, event }], newest: 1, missedCount: 0 };
      throw new TypeError('fetch failed');
    },
  };
  const events = await run('event watch', { answers, stopAtSleep: 4 });
  assert.equal(events.code, 130);
  assert.deepEqual(JSON.parse(events.out), { sequence: 1, event });
  assert.equal(events.error.match(/is away/g)?.length, 2);
  assert.equal(events.error.match(/answers again/g)?.length, 1);
  let looks = 0;
  const pairs = await run('pair watch', {
    answers: {
      get '/api/v1/pairs'(): unknown {
        looks += 1;
        if (looks === 2) throw new TypeError('fetch failed');
        return usual['/api/v1/pairs'];
      },
    },
    stopAtSleep: 3,
  });
  assert.deepEqual([pairs.code, looks], [130, 3]);
  assert.match(pairs.error, /is away.*\n.*answers again/);
  assert.equal((await run('pair watch', { isDown: true })).code, 1);
});

test('without drift, diff says so on stdout, whoever reads', async () => {
  const answers = { [`/api/v1/pairs/${pairId}/drift`]: { items: [] } };
  assert.equal((await run(`diff ${pairId}`, { answers })).out, 'No drift.\n');
  assert.equal((await run(`diff ${pairId} -o jsonl`, { answers })).out, '');
});

test('a terminal of width 0 is one whose width is not known', async () => {
  const { out } = await run('pair list', { isTerminal: true, columns: 0 });
  assert.match(out, new RegExp(verdict.sentence));
  assert.match((await run('--help', { columns: 0 })).out, /Compares production hosts with their/);
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
  const nonsense = await run('pair get Nonsense!');
  assert.equal(nonsense.code, 2);
  assert.match(nonsense.error, /^error ARGUMENT_INVALID: "Nonsense!" is not the id of a pair/);
  assert.match((await run('incident get nope')).error, /is not the id of an incident;/);
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
