// In: answers that the story does not hope for. Out: proof that it does not call them success.
// Never: starts a program; test/integration plays the story.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parseCommandId, parseHostId, type CommandRecord, type Outcome } from '@foreshadow/model';
import { readyHosts, requireMarked } from './stage.ts';
import { requirePromises, restoreCommand } from './story.ts';

const id = parseCommandId('cmd-000000000001');
const host = parseHostId('shop-shadow');
assert.ok(id !== undefined && host !== undefined);
const command: CommandRecord['command'] = {
  id,
  host,
  order: { kind: 'restore', item: 'file:/a', expectedDigest: '1', targetDigest: '2' },
  isDryRun: false,
  requestedBy: 'rule restore-shadow-files',
  reason: 'Restore.',
  timeLimitMs: 1_000,
};
const refused: Outcome = { kind: 'refused', code: 'RESTORE_DISABLED', sentence: 'Not here.' };
const done: Outcome = { kind: 'done', tookMs: 1, sentence: 'Done.', details: {} };

function recordOf(outcome?: Outcome): CommandRecord {
  const rest = outcome === undefined ? {} : { outcome };
  return { command, state: outcome === undefined ? 'sent' : 'ended', sentMs: 0, ...rest };
}

function clientOf(...items: CommandRecord[]): Parameters<typeof restoreCommand>[0] {
  return { commands: async () => Promise.resolve({ items }) };
}

test('a restore that was refused ends the story, one under way is waited for', async () => {
  await assert.rejects(restoreCommand(clientOf(recordOf(refused)), 0), {
    code: 'STORY_FAILED',
    message: 'the restore was refused: Not here.',
  });
  assert.equal(await restoreCommand(clientOf(), 0), undefined);
  assert.equal(await restoreCommand(clientOf(recordOf()), 0), undefined);
  assert.equal(await restoreCommand(clientOf(recordOf(done)), 0), id);
  assert.equal(await restoreCommand(clientOf(recordOf(done)), 1), undefined);
});

test('a step that came later than promised ends the story, one without a promise does not', () => {
  const step = { name: 'drift', durationMs: 1, intervalsMax: 3 };
  requirePromises([
    { ...step, afterEditIntervals: 3 },
    { name: 'restore', durationMs: 99_000 },
  ]);
  assert.throws(() => requirePromises([{ ...step, afterEditIntervals: 3.1 }]), {
    code: 'STORY_TOO_SLOW',
    message: 'drift: 3.1 intervals after the edit, promised 3',
  });
});

test('a host that could not mark its configuration is named', () => {
  requireMarked(recordOf(done));
  assert.throws(() => requireMarked(recordOf(refused)), {
    code: 'KNOWN_GOOD_FAILED',
    message: 'shop-shadow: Not here.',
  });
});

test('hosts that a controller only remembers are not ready', async () => {
  const hostOf = (name: string, isConnected: boolean, lastSeenMs: number): object => ({
    id: name,
    isConnected,
    lastSeenMs,
  });
  const f = async (hosts: readonly object[], toldCount = 1): Promise<number | undefined> => {
    const client = {
      hosts: async () => Promise.resolve({ items: hosts }),
      fingerprints: async () =>
        Promise.resolve({ items: Array.from({ length: toldCount }, () => ({})) }),
    } as unknown as Parameters<typeof readyHosts>[0]; // Only what is asked for.
    return (await readyHosts(client, 100))?.length;
  };
  const ready = hostOf('a', true, 100);
  assert.equal(await f([ready, hostOf('b', true, 100)]), 2);
  assert.equal(await f([ready, hostOf('b', false, 100)]), undefined);
  assert.equal(await f([ready, hostOf('b', true, 99)]), undefined);
  assert.equal(await f([ready, hostOf('b', true, 100)], 0), undefined);
  assert.equal(await f([ready]), undefined);
});
