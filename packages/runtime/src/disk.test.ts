import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { systemDisk } from './disk.ts';

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

async function openFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'foreshadow-disk-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('a missing file is absent, a missing folder empty, and removing neither is an error', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'none');
  assert.equal(await systemDisk.read(path, { bytesMax: 10 }), undefined);
  assert.deepEqual(await systemDisk.list(path), []);
  await systemDisk.remove(path);
});

test('a file beyond the bound is refused: FILE_TOO_LARGE', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'a');
  await writeFile(path, '0123456789');
  assert.equal(text(await systemDisk.read(path, { bytesMax: 10 })), '0123456789');
  await assert.rejects(systemDisk.read(path, { bytesMax: 9 }), { code: 'FILE_TOO_LARGE' });
});

test('a replaced file has the new content, mode 0600, and leaves nothing beside it', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'a');
  await writeFile(join(folder.path, '.a.new'), 'left by a crash');
  for (const content of ['first', 'second']) {
    await systemDisk.replace(path, bytes(content));
    assert.equal(text(await systemDisk.read(path, { bytesMax: 100 })), content);
  }
  assert.deepEqual(await systemDisk.list(folder.path), ['a']);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('replacing a symbolic link replaces the link and not what it names', async () => {
  await using folder = await openFolder();
  const [link, target] = [join(folder.path, 'link'), join(folder.path, 'target')];
  await writeFile(target, 'kept');
  await symlink(target, link);
  await systemDisk.replace(link, bytes('new'));
  assert.equal(await readFile(target, 'utf8'), 'kept');
  assert.equal(await readFile(link, 'utf8'), 'new');
});

test('an append file grows, is read anywhere, and drops its torn tail', async () => {
  await using folder = await openFolder();
  await systemDisk.makeFolder(join(folder.path, 'deep/er'));
  const path = join(folder.path, 'deep/er/a');
  const file = await systemDisk.openAppend(path);
  file.append(bytes('one'));
  file.append(bytes('two'));
  await file.sync();
  assert.equal(file.sizeBytes, 6);
  assert.equal(text(file.readAt(3, 100)), 'two');
  assert.equal(text(file.readAt(6, 1)), '');
  assert.equal(text(file.readAt(99, 1)), '');
  file.truncate(4);
  file.append(bytes('!'));
  file.close();

  const again = await systemDisk.openAppend(path);
  assert.equal(again.sizeBytes, 5);
  assert.equal(text(again.readAt(0, 5)), 'onet!');
  again.close();
});

test('an append file is not opened through a symbolic link', async () => {
  await using folder = await openFolder();
  await symlink(join(folder.path, 'target'), join(folder.path, 'link'));
  await assert.rejects(systemDisk.openAppend(join(folder.path, 'link')), { code: 'ELOOP' });
});

test('a full disk is told when it happens: DISK_SHORT_WRITE or ENOSPC', async () => {
  const full = await systemDisk.openAppend('/dev/full').catch((error: unknown) => error);
  // No such device here.
  if (full instanceof Error || typeof full !== 'object' || full === null) return;
  // Not an Error, so it was opened.
  const file = full as Awaited<ReturnType<typeof systemDisk.openAppend>>;
  assert.throws(() => file.append(bytes('a')), /DISK_SHORT_WRITE|ENOSPC/);
  file.close();
});
