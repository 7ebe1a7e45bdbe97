// Facts about programs that end by themselves: they are started again, and one that ends again and
// again says why, once.

import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, type Clock } from '@foreshadow/runtime';
import { createProcesses, ENDS_AGAIN_COUNT } from './processes.ts';

test('why a program ends again and again is told once', { timeout: 30_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'processes-'));
  const told: string[] = [];
  const enough = Promise.withResolvers<void>();
  // Started again at once, and all within one moment.
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => 0,
    after: (_, call) => systemClock.after(0, call),
  };
  await using processes = createProcesses({
    clock,
    environment: {},
    onRestart: (name, how) => {
      told.push(`${name}: ${how}`);
      if (told.length === ENDS_AGAIN_COUNT + 2) enough.resolve();
    },
  });
  const code = 'console.error("begins\\nPORT_IN_USE: 1"); process.exitCode = 3;';
  processes.start({
    name: 'agent',
    arguments: ['--eval', code],
    logPath: join(folder.path, 'log'),
  });
  await enough.promise;
  assert.equal(told[ENDS_AGAIN_COUNT - 1], 'agent: exit 3: PORT_IN_USE: 1');
  assert.deepEqual(
    told.filter((line) => line !== 'agent: exit 3'),
    ['agent: exit 3: PORT_IN_USE: 1'],
  );
});
