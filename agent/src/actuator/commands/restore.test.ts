import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { codeOf, digestOf, openLab, type Lab } from '../lab.test.ts';

const change = { live: 'workers: 99\n', good: 'workers: 4\n' };
const both = { good: change.good, live: change.live };

test('a restore puts back the known-good content and tells both digests', () => {
  using lab = openLab();
  lab.drift('service.json', both);
  const outcome = lab.restore('service.json', change);
  assert.equal(outcome.kind, 'done');
  assert.equal(lab.read('service.json'), change.good);
  assert.deepEqual(outcome.kind === 'done' && outcome.details, {
    item: 'file:/etc/shop/service.json',
    path: lab.path('service.json'),
    replacedDigest: digestOf(change.live),
    writtenDigest: digestOf(change.good),
  });
  assert.deepEqual(lab.names(), ['service.json']);
});

test('a production host restores nothing unless its policy says so', () => {
  using lab = openLab({ role: 'production', isEnabled: false });
  lab.drift('a', both);
  assert.equal(codeOf(lab.restore('a', change)), 'RESTORE_DISABLED');
  assert.equal(lab.read('a'), change.live);
});

test('items outside the policy are refused, however they are written', () => {
  using lab = openLab();
  lab.drift('a', both);
  mkdirSync(join(lab.folder, 'real-evil'));
  writeFileSync(join(lab.folder, 'real-evil', 'a'), change.live);
  const f = (item: string, code: string): void => {
    const expectedDigest = digestOf(change.live);
    const targetDigest = digestOf(change.good);
    const outcome = lab.run({ kind: 'restore', item, expectedDigest, targetDigest });
    assert.equal(codeOf(outcome), code, item);
  };
  f('file:/etc/passwd', 'PATH_NOT_ALLOWED');
  f('file:/etc/shop-evil/a', 'PATH_NOT_ALLOWED');
  f('file:/etc', 'PATH_NOT_ALLOWED');
  f(`file:${lab.path('a')}`, 'PATH_NOT_ALLOWED');
  f('file:/etc/shop/../shop-evil/a', 'PATH_REFUSED');
  f('file:/etc/shop/./a', 'PATH_REFUSED');
  f('file:/etc/shop//a', 'PATH_REFUSED');
  f('file:/etc/shop/a/', 'PATH_REFUSED');
  f('file:/etc/shop/a\0', 'PATH_REFUSED');
  f('file:/etc/shop/a\nb', 'PATH_REFUSED');
  f('file:/etc/shop/\ud800', 'PATH_REFUSED');
  f(`file:/etc/shop/${'n'.repeat(256)}`, 'PATH_REFUSED');
  f('file:etc/shop/a', 'PATH_REFUSED');
  f('file:/', 'PATH_REFUSED');
  f('file:', 'PATH_REFUSED');
  f('package:nginx', 'PATH_REFUSED');
  f('file:/etc/shop/%2e%2e/a', 'VERSION_UNKNOWN');
  assert.equal(lab.read('a'), change.live);
});

test('an empty list of paths allows nothing', () => {
  using lab = openLab({ allowed: [] });
  lab.write('a', change.live);
  assert.equal(codeOf(lab.restore('a', change)), 'PATH_NOT_ALLOWED');
  assert.equal(codeOf(lab.run({ kind: 'mark-known-good' })), 'NOTHING_ALLOWED');
});

test('only a version of this very item that was marked known-good is a target', () => {
  using lab = openLab();
  lab.write('other', 'of another item');
  lab.drift('a', both);
  assert.equal(codeOf(lab.restore('a', { ...change, good: 'never' })), 'VERSION_UNKNOWN');
  assert.equal(codeOf(lab.restore('a', { ...change, good: 'of another item' })), 'VERSION_UNKNOWN');
  assert.equal(lab.restore('a', change).kind, 'done');
  const back = { live: change.good, good: change.live };
  assert.equal(codeOf(lab.restore('a', back)), 'NOT_KNOWN_GOOD');
});

test('a live file that is not the expected one is refused and left alone', () => {
  using lab = openLab();
  lab.drift('a', both);
  const item = 'file:/etc/shop/a';
  const live = digestOf(change.live);
  const expectedDigest = (live.startsWith('0') ? '1' : '0') + live.slice(1);
  const order = {
    kind: 'restore',
    item,
    expectedDigest,
    targetDigest: digestOf(both.good),
  } as const;
  assert.equal(codeOf(lab.run(order)), 'LIVE_DIGEST_MISMATCH');
  assert.equal(lab.read('a'), change.live);
  lab.write('a', change.good);
  assert.equal(codeOf(lab.restore('a', change)), 'ALREADY_THERE');
});

test('a link is not followed, whether it is the file or any folder above it', () => {
  const depth = ['one', 'two', 'file'];
  for (const [index, name] of depth.entries()) {
    using lab = openLab();
    mkdirSync(lab.path('one/two'), { recursive: true });
    lab.drift('one/two/file', both);
    const path = lab.path(depth.slice(0, index + 1).join('/'));
    renameSync(path, join(lab.folder, 'moved'));
    symlinkSync(join(lab.folder, 'moved'), path);
    assert.equal(codeOf(lab.restore('one/two/file', change)), 'PATH_HAS_LINK', name);
    assert.equal(lab.read('one/two/file'), change.live, name);
  }
});

test('a link above the allowed folder is not followed', () => {
  using lab = openLab();
  lab.drift('a', both);
  const moved = `${lab.folder}-moved`;
  renameSync(lab.path(''), moved);
  symlinkSync(moved, join(lab.folder, 'real'));
  assert.equal(codeOf(lab.restore('a', change)), 'PATH_HAS_LINK');
  rmSync(moved, { recursive: true });
});

test('what is not a regular file with one name is refused', async () => {
  const f = async (code: string, plant: (path: string, lab: Lab) => unknown): Promise<void> => {
    using lab = openLab();
    lab.drift('a', both);
    unlinkSync(lab.path('a'));
    await plant(lab.path('a'), lab);
    assert.equal(codeOf(lab.restore('a', change)), code);
  };
  await f('TARGET_MISSING', () => undefined);
  await f('PATH_HAS_LINK', (path) => symlinkSync('/nonexistent', path));
  await f('PATH_HAS_LINK', (path) => symlinkSync(path, path));
  await f('TARGET_NOT_A_FILE', (path) => mkdirSync(path));
  await f('TARGET_NOT_A_FILE', (path) => execFileSync('mkfifo', [path]));
  await f('TARGET_HAS_LINKS', (path, lab) => {
    lab.write('b', change.live);
    linkSync(lab.path('b'), path);
  });
  await f('TARGET_TOO_LARGE', (path) => writeFileSync(path, 'x'.repeat(70_000)));
  const server = createServer();
  await f('TARGET_NOT_A_FILE', async (path) => once(server.listen(path), 'listening'));
  server.close();
});

test('an edit between check and apply is kept, in place or by a rename', () => {
  const f = (edit: (lab: Lab) => void, live: string): void => {
    using lab = openLab();
    lab.drift('a', both);
    lab.afterRecord = ({ state }) => {
      if (state === 'APPLYING') edit(lab);
    };
    assert.equal(codeOf(lab.restore('a', change)), 'TARGET_CHANGED');
    assert.equal(lab.read('a'), live);
    assert.equal(
      lab.names().some((name) => name.startsWith('.foreshadow')),
      false,
    );
  };
  f((lab) => lab.write('a', 'by hand'), 'by hand');
  f((lab) => chmodSync(lab.path('a'), 0o600), change.live);
  f((lab) => lab.write('a', change.live.replace('9', '8')), change.live.replace('9', '8'));
  f((lab) => {
    lab.write('b', 'by an editor');
    renameSync(lab.path('b'), lab.path('a'));
  }, 'by an editor');
  f((lab) => {
    renameSync(lab.path('a'), lab.path('b'));
    symlinkSync(lab.path('b'), lab.path('a'));
  }, change.live);
});

test('a folder swapped for a link between check and apply gains nothing', () => {
  using lab = openLab();
  mkdirSync(lab.path('one'));
  lab.drift('one/a', both);
  const elsewhere = join(lab.folder, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'a'), 'not ours');
  lab.afterRecord = ({ state }) => {
    if (state !== 'APPLYING') return;
    renameSync(lab.path('one'), lab.path('moved'));
    symlinkSync(elsewhere, lab.path('one'));
  };
  assert.equal(codeOf(lab.restore('one/a', change)), 'CHANGED_AFTERWARDS');
  assert.equal(lab.read('one/a'), 'not ours');
  assert.equal(lab.read('moved/a'), change.good);
});

test('owner and mode are kept, and the time of change is new', () => {
  using lab = openLab();
  lab.drift('a', both);
  chmodSync(lab.path('a'), 0o640);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) chownSync(lab.path('a'), 65_534, 65_534);
  assert.equal(lab.restore('a', change).kind, 'done');
  const { mode, uid, mtimeMs } = statSync(lab.path('a'));
  assert.equal(mode & 0o7777, 0o640);
  if (isRoot) assert.equal(uid, 65_534);
  assert.equal(mtimeMs, lab.clock.wallMs);
});

test('ACL and extended attributes are kept', (context) => {
  using lab = openLab();
  lab.drift('a', both);
  chmodSync(lab.path('a'), 0o640);
  const path = lab.path('a');
  const acl = spawnSync('setfacl', ['-m', 'u:65534:r', path]);
  const attribute = spawnSync('setfattr', ['-n', 'user.note', '-v', 'kept', path]);
  if (acl.status !== 0 && attribute.status !== 0) {
    context.skip(
      'NOT TESTED HERE: setfacl and setfattr are missing, or the file system has neither',
    );
    return;
  }
  assert.equal(lab.restore('a', change).kind, 'done');
  if (acl.status === 0)
    assert.match(execFileSync('getfacl', ['-n', path], { encoding: 'utf8' }), /user:65534:r--/);
  else context.diagnostic('NOT TESTED HERE: ACL');
  if (attribute.status === 0)
    assert.match(execFileSync('getfattr', ['-d', path], { encoding: 'utf8' }), /user.note="kept"/);
  else context.diagnostic('NOT TESTED HERE: extended attributes');
});

test('a file whose owner cannot be given on stays as it was', (context) => {
  if (process.geteuid?.() !== 0) {
    context.skip('NOT TESTED HERE: only root can give a file to another user');
    return;
  }
  using lab = openLab();
  for (const path of [lab.folder, lab.path('')]) chownSync(path, 65_534, 65_534);
  try {
    process.seteuid?.(65_534);
    lab.drift('a', both);
    process.seteuid?.(0);
    chownSync(lab.path('a'), 0, 0);
    process.seteuid?.(65_534);
    assert.equal(codeOf(lab.restore('a', change)), 'ATTRIBUTES_NOT_KEPT');
    assert.deepEqual([lab.read('a'), lab.names()], [change.live, ['a']]);
  } finally {
    process.seteuid?.(0);
  }
});

test('an immutable file is refused', (context) => {
  using lab = openLab();
  lab.drift('a', both);
  if (spawnSync('chattr', ['+i', lab.path('a')]).status !== 0) {
    context.skip('NOT TESTED HERE: chattr +i is not possible (no root, or another file system)');
    return;
  }
  try {
    assert.equal(codeOf(lab.restore('a', change)), 'TARGET_IMMUTABLE');
  } finally {
    execFileSync('chattr', ['-i', lab.path('a')]);
  }
});

test('a folder in which nothing may be written fails and leaves the file', (context) => {
  using lab = openLab();
  lab.drift('a', both);
  if (spawnSync('chattr', ['+i', lab.path('')]).status !== 0) {
    context.skip('NOT TESTED HERE: chattr +i is not possible (no root, or another file system)');
    return;
  }
  try {
    const outcome = lab.restore('a', change);
    assert.equal(codeOf(outcome), 'SYSTEM_ERROR');
    assert.match(outcome.kind === 'failed' ? outcome.sentence : '', /EPERM|EACCES/);
    assert.equal(lab.read('a'), change.live);
  } finally {
    execFileSync('chattr', ['-i', lab.path('')]);
  }
});

test('a rename that the system refuses leaves the file, and no temporary', (context) => {
  using lab = openLab();
  lab.drift('a', both);
  if (spawnSync('chattr', ['+a', lab.path('a')]).status !== 0) {
    context.skip('NOT TESTED HERE: chattr +a is not possible (no root, or another file system)');
    return;
  }
  try {
    assert.equal(codeOf(lab.restore('a', change)), 'SYSTEM_ERROR');
    assert.deepEqual([lab.read('a'), lab.names()], [change.live, ['a']]);
  } finally {
    execFileSync('chattr', ['-a', lab.path('a')]);
  }
});

test('a temporary that is already there is not ours and stays', () => {
  using lab = openLab();
  lab.drift('a', both);
  lab.write('.foreshadow-cmd-aaaaaaaaaaaa', 'foreign');
  assert.equal(codeOf(lab.restore('a', change, { id: 'cmd-aaaaaaaaaaaa' })), 'SYSTEM_ERROR');
  assert.equal(lab.read('.foreshadow-cmd-aaaaaaaaaaaa'), 'foreign');
});

test('a dry run changes nothing and says what it would do', () => {
  using lab = openLab();
  lab.drift('a', both);
  const before = lstatSync(lab.path('a'), { bigint: true });
  const outcome = lab.restore('a', change, { isDryRun: true });
  const after = lstatSync(lab.path('a'), { bigint: true });
  assert.match(outcome.kind === 'done' ? outcome.sentence : '', /would get the content/);
  assert.equal(lab.read('a'), change.live);
  assert.deepEqual(
    [after.ino, after.mtimeNs, after.ctimeNs],
    [before.ino, before.mtimeNs, before.ctimeNs],
  );
  assert.deepEqual(lab.names(), ['a']);
  assert.equal(lab.restore('a', change).kind, 'done', 'a dry run does not stand in the way');
});

test('the time limit holds before the check and before the rename', () => {
  using lab = openLab();
  lab.drift('a', both);
  lab.afterRecord = ({ state }) => {
    if (state === 'RECEIVED') lab.clock.monotonicMs += 100;
  };
  assert.equal(codeOf(lab.restore('a', change, { timeLimitMs: 100 })), 'TIME_LIMIT_PASSED');
  lab.afterRecord = ({ state }) => {
    if (state === 'PREPARED') lab.clock.monotonicMs += 100;
  };
  assert.equal(codeOf(lab.restore('a', change, { timeLimitMs: 100 })), 'TIME_LIMIT_PASSED');
  assert.equal(lab.read('a'), change.live);
  assert.deepEqual(lab.names(), ['a']);
});

test('a damaged version is refused, never written', () => {
  using lab = openLab();
  lab.drift('a', both);
  const version = join(lab.policy.state, 'versions', digestOf(change.good));
  assert.equal(statSync(version).mode & 0o777, 0o600);
  assert.equal(statSync(join(version, '..')).mode & 0o777, 0o700);
  writeFileSync(version, 'workers: 5\n');
  assert.equal(codeOf(lab.restore('a', change)), 'VERSION_DAMAGED');
  rmSync(version);
  assert.equal(codeOf(lab.restore('a', change)), 'VERSION_DAMAGED');
  assert.equal(existsSync(lab.path('a')) && lab.read('a'), change.live);
});
