// Facts about mounts: what is asked, under which name, and what never is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INSTANCE_LENGTH_MAX } from './collector.ts';
import { parseMounts, unescapeOctal } from './mounts.ts';
import { bytesOf } from './scan.ts';

const mountsOf = (...lines: string[]): readonly string[] =>
  parseMounts(bytesOf(lines.map((line) => `${line} rw 0 0\n`).join(''))).map(({ path }) => path);

test('an empty list and lines with too few words have no mounts', () => {
  assert.deepEqual(mountsOf(), []);
  assert.deepEqual(parseMounts(bytesOf('/dev/vda /\n\n/dev/vda\n \n')), []);
});

test('pseudo and network file systems are not asked', () => {
  assert.deepEqual(
    mountsOf('proc /proc proc', 'tmpfs /run tmpfs', 'files:/x /mnt nfs4', 'me@h:/ /s fuse.sshfs'),
    [],
  );
});

test('a device that is mounted twice is asked once, at its first mount point', () => {
  assert.deepEqual(mountsOf('/dev/vda / ext4', '/dev/vda /bound ext4', '/dev/vdb /srv xfs'), [
    '/',
    '/srv',
  ]);
});

test('a mount over another hides it', () => {
  assert.deepEqual(mountsOf('/dev/vda /data ext4', 'tmpfs /data tmpfs'), []);
});

test('a mount point that is no path or has too long a name is left out', () => {
  assert.deepEqual(
    mountsOf('/dev/vda none ext4', `/dev/vdb /${'x'.repeat(INSTANCE_LENGTH_MAX)} xfs`),
    [],
  );
});

test('escaped blanks, newlines and backslashes are decoded, once', () => {
  assert.equal(unescapeOctal('/a\\040b\\011c\\012d\\134e'), '/a b\tc\nd\\e');
  assert.equal(unescapeOctal('/a\\134040'), '/a\\040');
  assert.equal(unescapeOctal('/a\\8\\49'), '/a\\8\\49');
  assert.deepEqual(mountsOf('/dev/vda /srv/shop\\040data ext4'), ['/srv/shop data']);
});
