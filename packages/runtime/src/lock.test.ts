// Facts about the lock of a folder: one living process has it, a dead one never keeps it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFolder } from './lock.ts';

const scratch = async (): ReturnType<typeof mkdtempDisposable> =>
  mkdtempDisposable(join(tmpdir(), 'foreshadow-lock-'));

test('a folder in use is refused with the process that has it, and free once given back', async () => {
  await using root = await scratch();
  const folder = join(root.path, 'made', 'here');
  {
    await using _held = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), {
      code: 'FOLDER_LOCKED',
      message: `${folder} is in use by process ${process.pid}; stop it or choose another folder`,
    });
    assert.deepEqual(await readdir(folder), ['lock']);
  }
  assert.deepEqual(await readdir(folder), []);
  await using _again = await lockFolder(folder);
});

test('another living process keeps its lock, and loses it by ending', async () => {
  await using root = await scratch();
  const child = spawn(process.execPath, [
    '--eval',
    `import(${JSON.stringify(join(import.meta.dirname, 'lock.ts'))})
      .then(({ lockFolder }) => lockFolder(${JSON.stringify(root.path)}))
      .then(() => { console.log('locked'); setInterval(() => {}, 1000); });`,
  ]);
  await once(child.stdout, 'data');
  await assert.rejects(lockFolder(root.path), { code: 'FOLDER_LOCKED' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await using _taken = await lockFolder(root.path);
});

test('the lock of a process whose id was given anew, or that is torn, is replaced', async () => {
  await using root = await scratch();
  const path = join(root.path, 'lock');
  for (const stale of [`${process.pid} 1\n`, '999999999 1\n', '', '../x 1\n']) {
    await writeFile(path, stale);
    await using _held = await lockFolder(root.path);
    assert.match(await readFile(path, 'utf8'), new RegExp(`^${process.pid} \\d+\\n$`), stale);
    assert.deepEqual(await readdir(root.path), ['lock']);
  }
});
