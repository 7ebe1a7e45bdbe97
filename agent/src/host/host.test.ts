// Facts about the host: what is missing is absent, what is kept is refreshed, what is bounded stays
// bounded.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync, spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import type { Host } from '@foreshadow/model';
import { HOST_DESCRIPTORS_MAX, HOST_FILE_BYTES_MAX, openHost } from './host.ts';
import { INVENTORY_TEXT_LENGTH_MAX, known } from './inventory.ts';

interface Scene {
  readonly host: Host & Disposable;
  readonly folder: string;
  readonly write: (name: string, content: string | Uint8Array) => void;
}

function scene(context: TestContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-host-'));
  mkdirSync(join(folder, 'proc'));
  mkdirSync(join(folder, 'sys'));
  const host = openHost({ roots: { proc: join(folder, 'proc'), sys: join(folder, 'sys') } });
  context.after(() => {
    host[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  return { host, folder, write: (name, content) => writeFileSync(join(folder, name), content) };
}

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

const openCount = (): number => readdirSync('/proc/self/fd').length;

test('a missing file, a directory and a missing directory are absent', async (context) => {
  const { host } = scene(context);
  assert.equal(host.readBytes('/proc/stat'), undefined);
  assert.equal(host.readOnce('/proc/stat'), undefined);
  assert.equal(host.readBytes('/proc/'), undefined);
  assert.equal(host.list('/sys/block'), undefined);
  assert.equal(host.readBytes('/proc/a\0b'), undefined);
  assert.equal(await host.statFilesystem('/no/such/mount', 'fuseblk'), undefined);
});

test('a kept descriptor gives the present content', (context) => {
  const { host, write } = scene(context);
  write('proc/stat', 'first');
  assert.equal(textOf(host.readBytes('/proc/stat')), 'first');
  write('proc/stat', 'second and longer');
  assert.equal(textOf(host.readBytes('/proc/stat')), 'second and longer');
  write('proc/stat', '3');
  assert.equal(textOf(host.readBytes('/proc/stat')), '3');
});

test('a kept descriptor whose file became empty is opened once more', (context) => {
  const { host, folder, write } = scene(context);
  write('proc/stat', 'old');
  host.readBytes('/proc/stat');
  write('proc/new', 'new');
  write('proc/stat', '');
  renameSync(join(folder, 'proc/new'), join(folder, 'proc/stat'));
  assert.equal(textOf(host.readBytes('/proc/stat')), 'new');
});

test('a kept descriptor whose process ended is absent and closed', async (context) => {
  const { folder } = scene(context);
  const host = openHost({ roots: { proc: '/proc', sys: join(folder, 'sys') } });
  context.after(() => host[Symbol.dispose]());
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  assert.match(textOf(host.readBytes(`/proc/${child.pid}/stat`)) ?? '', /\(/);
  const before = openCount();
  child.stdin.end();
  await once(child, 'close');
  assert.equal(host.readBytes(`/proc/${child.pid}/stat`), undefined);
  assert.ok(openCount() < before);
});

test('a file larger than one read is read whole, and one over the bound is absent', (context) => {
  const { host, write } = scene(context);
  const large = new Uint8Array(HOST_FILE_BYTES_MAX).fill(55);
  write('proc/large', large);
  assert.equal(host.readBytes('/proc/large')?.length, HOST_FILE_BYTES_MAX);
  write('proc/larger', new Uint8Array(HOST_FILE_BYTES_MAX + 1));
  assert.equal(host.readBytes('/proc/larger'), undefined);
  assert.equal(host.readOnce('/proc/larger'), undefined);
});

test('an endless device in the place of a file is absent', (context) => {
  const { host } = scene(context);
  assert.equal(host.readOnce('/dev/zero'), undefined);
});

test('a FIFO in the place of a file does not wait for a writer', (context) => {
  const { host, folder } = scene(context);
  execFileSync('mkfifo', [join(folder, 'proc/fifo')]);
  assert.ok((host.readOnce('/proc/fifo')?.length ?? 0) === 0);
});

test('kept descriptors are bounded, and closed at the end', (context) => {
  const { host, write } = scene(context);
  const before = openCount();
  for (let index = 0; index < HOST_DESCRIPTORS_MAX * 2; index += 1) {
    write(`proc/${index}`, `${index}`);
    assert.equal(textOf(host.readBytes(`/proc/${index}`)), `${index}`);
  }
  assert.equal(openCount(), before + HOST_DESCRIPTORS_MAX);
  assert.equal(textOf(host.readBytes('/proc/0')), '0');
  host[Symbol.dispose]();
  assert.equal(openCount(), before);
});

test('reading once keeps nothing open', (context) => {
  const { host, write } = scene(context);
  write('proc/stat', 'x');
  const before = openCount();
  assert.equal(textOf(host.readOnce('/proc/stat')), 'x');
  assert.equal(openCount(), before);
});

test('a path outside the roots is taken as it stands', (context) => {
  const { host, folder, write } = scene(context);
  write('service.pid', '12\n');
  assert.equal(textOf(host.readOnce(join(folder, 'service.pid'))), '12\n');
  assert.equal(host.readOnce('/procession'), undefined);
});

test('a mounted file system has a size and no more used than that', async (context) => {
  const facts = await scene(context).host.statFilesystem('/', 'fuseblk');
  assert.ok(facts !== undefined && facts.sizeBytes > 0 && facts.freeBytes <= facts.sizeBytes);
});

test('only a file system that answers from memory is asked on the event loop', async (context) => {
  const { host } = scene(context);
  assert.equal(host.statFilesystem('/', 'ext4') instanceof Promise, false);
  assert.equal(host.statFilesystem('/no/such/mount', 'xfs'), undefined);
  const late = host.statFilesystem('/', 'fuse.mergerfs');
  assert.ok(late instanceof Promise);
  await late;
});

const f = (input: string | undefined, expected: string | undefined): void =>
  assert.equal(known(input), expected);

test('a word for not knowing is absence', () => {
  f(undefined, undefined);
  f('', undefined);
  f(' - ', undefined);
  f('Unknown', undefined);
  f('Computer', undefined);
  f(' KVM\n', 'KVM');
  f('x'.repeat(INVENTORY_TEXT_LENGTH_MAX + 1), 'x'.repeat(INVENTORY_TEXT_LENGTH_MAX));
});

test('the inventory of an empty machine has no zero and no empty text', async (context) => {
  const inventory = await scene(context).host.inventory();
  assert.equal(inventory.hostname, undefined);
  assert.equal(inventory.memoryBytes, undefined);
  assert.equal(inventory.cpuCount, undefined);
  for (const fact of Object.values(inventory)) assert.ok(fact !== 0 && fact !== '');
});

test('the inventory is read once', async (context) => {
  const { host, write } = scene(context);
  write('proc/meminfo', 'MemTotal:       2048 kB\n');
  write('proc/cpuinfo', 'processor\t: 0\nmodel name\t: Test CPU\n\nprocessor\t: 1\n');
  const first = await host.inventory();
  assert.equal(first.memoryBytes, 2048 * 1024);
  assert.equal(first.cpuCount, 2);
  assert.equal(first.cpuModel, 'Test CPU');
  assert.equal(await host.inventory(), first);
});
