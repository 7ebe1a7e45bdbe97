// In: a system without watches left, and folders that are gone. Out: proof that polling goes on.
// Never: uses up the watches of the machine that tests run on.

import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Watches } from './watches.ts';

test('when the system has no watches left, it is told once and no more are asked for', () => {
  const told: string[] = [];
  let asked = 0;
  const watches = new Watches(
    (why) => told.push(why),
    () => {
      asked += 1;
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    },
  );
  for (let at = 0; at < 3; at += 1) assert.equal(watches.add(Buffer.from('/etc'), fail), undefined);
  assert.deepEqual(told, ['ENOSPC']);
  assert.equal(asked, 1);
});

test('a folder that is not there is no exhaustion', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'watches-'));
  const watches = new Watches(fail, watch);
  assert.equal(watches.add(Buffer.from('/nowhere'), fail), undefined);
  const held = watches.add(Buffer.from(folder.path), fail);
  assert.equal(watches.count, 1);
  held?.close();
  held?.close();
  assert.equal(watches.count, 0);
});

function fail(): void {
  assert.fail('this is not told');
}
