// Facts about the folder of a run: ours or empty, and of one run at a time.

import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openFolder } from './folder.ts';
import { planLayout, writeLayout } from './layout.ts';

const scratch = async (): ReturnType<typeof mkdtempDisposable> =>
  mkdtempDisposable(join(tmpdir(), 'folder-'));

test('a folder that is missing, empty or of an earlier run is taken, and by one run', async () => {
  await using root = await scratch();
  const path = join(root.path, 'new');
  {
    await using folder = await openFolder(path);
    await assert.rejects(openFolder(path), { code: 'FOLDER_LOCKED' });
    await writeLayout(planLayout({ folder: folder.path, port: 8_000 }), { intervalMs: 1_000 });
  }
  await using again = await openFolder(path);
  assert.deepEqual([again.path, again.isKept], [path, true]);
});

test('a folder with anything else is refused, and nothing is written there', async () => {
  await using root = await scratch();
  const refused = async (): Promise<void> =>
    assert.rejects(openFolder(root.path), { code: 'FOLDER_NOT_OURS' });
  await writeFile(join(root.path, 'letter.txt'), '');
  await refused();
  const foreign = planLayout({ folder: root.path, port: 8_000 }).controllerConfigPath;
  await mkdir(dirname(foreign));
  await writeFile(foreign, 'stateFolder: /var/lib/foreshadow\n');
  await refused();
  assert.deepEqual(await readdir(root.path), ['controller', 'letter.txt']);
});

test('without a name the folder is temporary', async () => {
  const folder = await openFolder(undefined);
  await folder[Symbol.asyncDispose]();
  await assert.rejects(stat(folder.path), { code: 'ENOENT' });
});
