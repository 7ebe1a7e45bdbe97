// In: real folders with everything that may lie in one. Out: proof of what is found there.
// Never: sleeps; where time matters, the file's own stamps are set.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, type Stats } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtempDisposable,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileContentDigest, volatileFiles } from '@foreshadow/configuration';
import type { FingerprintItem } from '@foreshadow/model';
import { systemClock } from '@foreshadow/runtime';
import { createAccounts } from './accounts.ts';
import { FILE_ATTEMPTS_MAX, FILE_BYTES_MAX, readFinding } from './file-finding.ts';
import { createFilesFingerprinter, type FilesOptions } from './files.ts';
import { nameOf, type Effort, type Fingerprinter } from './fingerprinter.ts';

const key = Buffer.alloc(32, 1);
const signal = new AbortController().signal;
const NOBODY = 65_534;

test('a file is told by content, mode, owner, group and size, under its logical name', async () => {
  await using folder = await openFolder();
  await writeFile(join(folder.path, 'a.conf'), 'x=1\n', { mode: 0o640 });
  await chmod(join(folder.path, 'a.conf'), 0o640);
  await writeFile(folder.passwd, `shop:x:${process.getuid?.()}:1::/:/bin/sh\n`);
  const items = await folder.items('rehash');
  const { facts, digest, modifiedAtMs } = itemOf(items, '/etc/shop/a.conf');
  assert.deepEqual(
    { ...facts },
    {
      mode: '0640',
      owner: 'shop',
      group: String(process.getgid?.()),
      size: '4',
      content: fileContentDigest(key, Buffer.from('x=1\n')),
    },
  );
  assert.match(digest, /^[0-9a-f]{32}$/);
  assert.equal(typeof modifiedAtMs, 'number');
  assert.deepEqual([...items.keys()], ['/etc/shop/a.conf']);
});

test('what is not a regular file is reported, never opened', { timeout: 10_000 }, async () => {
  await using folder = await openFolder();
  execFileSync('mkfifo', [join(folder.path, 'pipe')]);
  assert.deepEqual(await folder.told('rehash'), ['/etc/shop/pipe not-a-file']);
  const devices = createFilesFingerprinter({ ...folder.options, roots: [{ path: '/dev' }] });
  for (const finding of await devices.read('rehash', signal))
    if (finding.kind === 'present') assert.equal(typeof finding.item.facts['target'], 'string');
});

test('a link is told by where it points, in logical terms, and is not followed', async () => {
  await using folder = await openFolder();
  await symlink('/proc/self', join(folder.path, 'away'));
  await symlink(join(folder.path, 'on'), join(folder.path, 'current'));
  await symlink('.', join(folder.path, 'loop'));
  const items = await folder.items('rehash');
  assert.equal(itemOf(items, '/etc/shop/away').facts['target'], '/proc/self');
  assert.equal(itemOf(items, '/etc/shop/current').facts['target'], '/etc/shop/on');
  assert.equal(items.size, 3);
  const before = itemOf(items, '/etc/shop/away').digest;
  await rm(join(folder.path, 'away'));
  await symlink('/proc/1', join(folder.path, 'away'));
  assert.notEqual(itemOf(await folder.items('rescan'), '/etc/shop/away').digest, before);
});

test('a file beyond the bound is too large, whatever it holds', async () => {
  await using folder = await openFolder();
  await writeFile(join(folder.path, 'big'), '');
  await truncate(join(folder.path, 'big'), FILE_BYTES_MAX + 1);
  assert.deepEqual(await folder.told('rehash'), ['/etc/shop/big too-large']);
});

test('names that are not UTF-8 are read like any other', async () => {
  await using folder = await openFolder();
  await writeFile(Buffer.concat([Buffer.from(`${folder.path}/caf`), Buffer.from([0xe9])]), 'x');
  assert.deepEqual(await folder.told('rehash'), ['/etc/shop/caf\\xe9']);
});

test('excluded files and folders are left out', async () => {
  await using folder = await openFolder();
  await mkdir(join(folder.path, 'cache'));
  const left = ['a.conf~', '.a.conf.swp', 'x.log', 'cache/b', 'a.dpkg-old', '.foreshadow-cmd-1'];
  for (const name of ['a.conf', ...left]) await writeFile(join(folder.path, name), 'x');
  assert.deepEqual(await folder.told('rehash'), ['/etc/shop/a.conf']);
});

test('an edit is found by its stamp, and what did not change is not read', async () => {
  await using folder = await openFolder();
  await writeFile(join(folder.path, 'a'), 'one');
  await mkdir(join(folder.path, 'd'));
  await writeFile(join(folder.path, 'd/b'), 'two');
  const before = await folder.files.read('rehash', signal);
  assert.equal(await folder.files.read('rescan', signal), before);
  await writeFile(join(folder.path, 'd/b'), '222');
  const after = await folder.files.read('rescan', signal);
  assert.notEqual(after, before);
  assert.deepEqual(after.filter((finding) => !before.includes(finding)).map(nameOf), [
    '/etc/shop/d/b',
  ]);
});

test('edits of one size within one tick of the clock are all found', async () => {
  await using folder = await openFolder();
  const digests = new Set<string>();
  for (let round = 100; round < 150; round += 1) {
    await writeFile(join(folder.path, 'a'), String(round));
    digests.add(itemOf(await folder.items('rescan'), '/etc/shop/a').digest);
  }
  assert.equal(digests.size, 50);
});

test('an atomic replacement, a rename, a change of mode and a removal are found', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'a');
  await writeFile(path, 'one', { mode: 0o644 });
  const first = itemOf(await folder.items('rehash'), '/etc/shop/a').digest;
  await writeFile(`${path}.new`, 'two', { mode: 0o644 });
  await rename(`${path}.new`, path);
  const second = itemOf(await folder.items('rescan'), '/etc/shop/a').digest;
  await chmod(path, 0o600);
  const third = itemOf(await folder.items('rescan'), '/etc/shop/a').digest;
  assert.equal(new Set([first, second, third]).size, 3);
  await rename(path, join(folder.path, 'b'));
  assert.deepEqual(await folder.told('rescan'), ['/etc/shop/b']);
  await rm(join(folder.path, 'b'));
  await mkdir(join(folder.path, 'b'));
  await writeFile(join(folder.path, 'b/c'), 'x');
  assert.deepEqual(await folder.told('rescan'), ['/etc/shop/b/c']);
  await rm(join(folder.path, 'b'), { recursive: true });
  await writeFile(join(folder.path, 'b'), 'x');
  assert.deepEqual(await folder.told('rescan'), ['/etc/shop/b']);
});

test('a missing root is empty, and comes and goes', async () => {
  await using folder = await openFolder();
  await rm(folder.path, { recursive: true });
  assert.deepEqual(await folder.told('rehash'), []);
  await mkdir(folder.path);
  await writeFile(join(folder.path, 'a'), 'x');
  assert.deepEqual(await folder.told('rescan'), ['/etc/shop/a']);
  await rm(folder.path, { recursive: true });
  assert.deepEqual(await folder.told('rescan'), []);
  await writeFile(folder.path, 'a file');
  assert.deepEqual(await folder.told('rescan'), []);
});

test('what may not be read is unreadable, and what may no longer be seen is not gone', async () => {
  await using folder = await openFolder();
  const inner = join(folder.path, 'private');
  await mkdir(inner);
  await writeFile(join(inner, 'seen'), 'x');
  await writeFile(join(folder.path, 'secret'), 'x', { mode: 0o000 });
  await folder.giveAway();
  await asNobody(async () => {
    assert.deepEqual(await folder.told('rehash'), [
      '/etc/shop/private/seen',
      '/etc/shop/secret permission',
    ]);
    await chmod(inner, 0o000);
    assert.deepEqual(await folder.told('rescan'), [
      '/etc/shop/private permission',
      '/etc/shop/private/seen permission',
      '/etc/shop/secret permission',
    ]);
    await chmod(inner, 0o700);
    await chmod(join(folder.path, 'secret'), 0o400);
    assert.deepEqual(await folder.told('rescan'), ['/etc/shop/private/seen', '/etc/shop/secret']);
    await chmod(join(folder.path, '..'), 0o000);
    assert.deepEqual(await folder.told('rescan'), [
      '/etc/shop permission',
      '/etc/shop/private permission',
      '/etc/shop/private/seen permission',
      '/etc/shop/secret permission',
    ]);
    await chmod(join(folder.path, '..'), 0o700);
  });
});

test('a file that changes under every attempt to read it is given up for now', async () => {
  await using folder = await openFolder();
  const path = join(folder.path, 'busy');
  await writeFile(path, 'x');
  const read = async (changesMax: number): Promise<readonly [string | undefined, number]> => {
    let changes = 0;
    const reader = {
      // Asked for between looking at the file and reading it.
      get key() {
        if (changes < changesMax) appendFileSync(path, 'x');
        changes += 1;
        return key;
      },
      accounts: createAccounts({ passwd: '/nowhere', group: '/nowhere' }),
      logicalTarget: (target: string) => target,
    };
    const stat: Stats = await lstat(path);
    const reading = await readFinding(reader, { path: Buffer.from(path), name: 'b' }, stat, signal);
    return [reading?.finding.kind, changes];
  };
  assert.deepEqual(await read(Infinity), ['unreadable', FILE_ATTEMPTS_MAX]);
  const [kind] = await read(FILE_ATTEMPTS_MAX - 1);
  assert.equal(kind, 'present');
});

test('a new name for an owner is a change of the files', async () => {
  await using folder = await openFolder();
  await writeFile(join(folder.path, 'a'), 'x');
  const before = itemOf(await folder.items('rehash'), '/etc/shop/a').digest;
  await writeFile(folder.passwd, `shop:x:${process.getuid?.()}:1::/:/bin/sh\n`);
  assert.notEqual(itemOf(await folder.items('rescan'), '/etc/shop/a').digest, before);
});

test('a root with a star names many folders, each once, and no logical name', async () => {
  await using folder = await openFolder();
  for (const name of ['one', 'two']) {
    await mkdir(join(folder.path, name, 'etc'), { recursive: true });
    await writeFile(join(folder.path, name, 'etc/a'), 'x');
  }
  await symlink(join(folder.path, 'two'), join(folder.path, 'zwei'));
  const path = `${folder.path}/*/etc`;
  const files = createFilesFingerprinter({ ...folder.options, roots: [{ path, as: path }] });
  assert.deepEqual((await files.read('rehash', signal)).map(nameOf), [
    `${folder.path}/one/etc/a`,
    `${folder.path}/two/etc/a`,
  ]);
  assert.throws(
    () => createFilesFingerprinter({ ...folder.options, roots: [{ path, as: '/etc' }] }),
    TypeError,
  );
});

test('a read ends soon after its signal aborts', async () => {
  await using folder = await openFolder();
  await writeFile(join(folder.path, 'a'), 'x');
  await assert.rejects(
    folder.files.read('rehash', AbortSignal.abort(new Error('enough'))),
    /enough/,
  );
});

test('a tree of 400 files is read whole whatever the effort, and its cost is told', async (t) => {
  await using folder = await openFolder();
  for (let at = 0; at < 400; at += 1) {
    const parent = join(folder.path, `d${at % 40}`);
    if (at < 40) await mkdir(parent);
    await writeFile(join(parent, `f${at}`), `value=${at}\n`.repeat(100));
  }
  const cost = async (effort: Effort): Promise<number> => {
    const before = process.cpuUsage();
    assert.equal((await folder.files.read(effort, signal)).length, 400);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  t.diagnostic(`rehash ${(await cost('rehash')).toFixed(0)} ms CPU`);
  t.diagnostic(`settling ${(await cost('rescan')).toFixed(0)} ms CPU`);
  t.diagnostic(`rescan ${(await cost('rescan')).toFixed(0)} ms CPU`);
});

interface OpenFolder extends AsyncDisposable {
  readonly path: string;
  readonly passwd: string;
  readonly options: FilesOptions;
  readonly files: Fingerprinter;
  items(effort: Effort): Promise<ReadonlyMap<string, FingerprintItem>>;
  /** Names, sorted, with the reason after those that are unreadable. */
  told(effort: Effort): Promise<readonly string[]>;
  giveAway(): Promise<void>;
}

async function openFolder(): Promise<OpenFolder> {
  const parent = await mkdtempDisposable(join(tmpdir(), 'files-'));
  const path = join(parent.path, 'real/etc');
  const passwd = join(parent.path, 'passwd');
  await mkdir(path, { recursive: true });
  const options: FilesOptions = {
    key,
    clock: systemClock,
    roots: [{ path, as: '/etc/shop' }],
    exclude: [...volatileFiles.map(({ pattern }) => pattern), '/etc/shop/cache'],
    accounts: { passwd, group: join(parent.path, 'group') },
    filesPerSecondMax: 1_000_000,
    onEvent: () => assert.fail('no bound is reached'),
  };
  const files = createFilesFingerprinter(options);
  return {
    path,
    passwd,
    options,
    files,
    items: async (effort) => {
      const findings = await files.read(effort, signal);
      return new Map(
        findings.flatMap((one) => (one.kind === 'present' ? [[one.item.name, one.item]] : [])),
      );
    },
    told: async (effort) =>
      (await files.read(effort, signal))
        .map((one) => (one.kind === 'present' ? one.item.name : `${one.name} ${one.reason}`))
        .toSorted((left, right) => (left < right ? -1 : 1)),
    giveAway: async () => {
      if (process.getuid?.() !== 0) return;
      for (const one of [parent.path, join(path, '..'), path, `${path}/private`, `${path}/secret`])
        await chown(one, NOBODY, NOBODY);
    },
    [Symbol.asyncDispose]: async () => parent.remove(),
  };
}

function itemOf(items: ReadonlyMap<string, FingerprintItem>, name: string): FingerprintItem {
  const item = items.get(name);
  assert(item !== undefined, `${name} is among ${[...items.keys()].join(', ')}`);
  return item;
}

/** Root reads everything; its rights are laid down for the while. */
async function asNobody(act: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return act();
  process.seteuid?.(NOBODY);
  try {
    await act();
  } finally {
    process.seteuid?.(0);
  }
}
