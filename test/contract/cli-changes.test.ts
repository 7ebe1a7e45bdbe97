// Proves that nothing is changed without a reason and a yes, and what the outcome is told as.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Drift, Outcome } from '@foreshadow/model';
import {
  badDigest,
  commandId,
  done,
  drift,
  goodDigest,
  pairId,
  path,
  production,
  recordOf,
  run,
  shadow,
} from '../support/cli-scene.ts';

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
  const told = [
    `done  ${shadow}: restored (12 ms)`,
    `command ${commandId}`,
    `Next: foreshadow undo ${commandId} --reason "…"\n`,
  ];
  assert.deepEqual([code, out], [0, told.join('\n')]);
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
  const { code, out, error, posted } = await run(`restore ${pairId} ${path} --dry-run`, {
    isTerminal: true,
  });
  assert.equal(code, 0);
  assert.equal(posted[0]?.['isDryRun'], true);
  assert.match(error, /Nothing was changed/);
  assert.doesNotMatch(out, /undo/);
});

test('on a terminal a restore asks for the reason and for a yes', async () => {
  const words = `restore ${pairId} ${path}`;
  const yes = await run(words, { isTerminal: true, typed: ['because', 'y'] });
  assert.deepEqual([yes.code, yes.posted[0]?.['reason']], [0, 'because']);
  assert.match(yes.out, /^command cmd-000000000001\nNext: foreshadow undo cmd-000000000001 /m);
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
  await f({ changedSide: 'production' }, 5, /^error SIDE_REQUIRED: .* add --side production\n/);
  await f({ shadowFacts: {} }, 5, /RESTORE_NOT_POSSIBLE/);
  await f(
    { item: 'file:/etc/shop/service.jso', name: '/etc/shop/service.jso' },
    3,
    /DRIFT_NOT_FOUND.*did you mean \/etc\/shop\/service\.jso\?/,
  );
});

test('production is restored only where it is named', async () => {
  const departed = { items: [{ ...drift, changedSide: 'production' }] };
  const answers = { [`/api/v1/pairs/${pairId}/drift`]: departed };
  const words = `restore ${pairId} ${path} --side production --reason wrong --yes`;
  const { code, posted } = await run(words, { answers });
  assert.deepEqual([code, posted[0]?.['host']], [0, production]);
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
  const bare = await run(`known-good mark ${shadow}`);
  const wanted =
    'error REASON_REQUIRED: a change needs a reason, for the ledger: add --reason "…"\n';
  assert.deepEqual([bare.code, bare.error], [2, wanted]);
});
