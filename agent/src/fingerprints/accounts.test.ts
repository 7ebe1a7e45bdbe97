// In: account tables, whole and broken. Out: proof of the names that numbers get.
// Never: reads the accounts of the machine that tests run on.

import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAccounts, parseAccounts } from './accounts.ts';

test('the first name of a number counts, and broken lines are passed over', () => {
  const text = 'root:x:0:0::/root:/bin/sh\ntoor:x:0:\n\n#x\n:x:5:\nno-number:x::\nshop:x:1000:1000';
  assert.deepEqual(
    [...parseAccounts(text)],
    [
      [0, 'root'],
      [1000, 'shop'],
    ],
  );
});

test('an unknown number stays a number, and a new name is noticed', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'accounts-'));
  const passwd = join(folder.path, 'passwd');
  const accounts = createAccounts({ passwd, group: join(folder.path, 'group') });
  assert.equal(await accounts.refresh(), false);
  assert.equal(accounts.ownerOf(7), '7');
  await writeFile(passwd, 'lp:x:7:7::/:/bin/false\n');
  assert.equal(await accounts.refresh(), true);
  assert.equal(accounts.ownerOf(7), 'lp');
  assert.equal(accounts.groupOf(7), '7');
  assert.equal(await accounts.refresh(), false);
});
