// In: status files as dpkg writes them, and others. Out: proof of which packages count as
// installed.
// Never: needs dpkg.

import assert from 'node:assert/strict';
import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nameOf } from './fingerprinter.ts';
import { createPackagesFingerprinter, parsePackageStatus } from './packages.ts';

const key = Buffer.alloc(32, 1);
const signal = new AbortController().signal;
const libc = `Package: libc6
Status: install ok installed
Architecture: amd64
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab
Version: 2.36-9
Description: GNU C Library
 Status: not a field
`;

test('an installed package is known by name, architecture, version and selection', () => {
  assert.deepEqual(parsePackageStatus(Buffer.from(libc)), [
    { name: 'libc6', architecture: 'amd64', version: '2.36-9', selection: 'install' },
  ]);
});

test('what is not installed does not count, what is held does', () => {
  const f = (status: string, expected: readonly string[]): void =>
    assert.deepEqual(
      parsePackageStatus(Buffer.from(libc.replace('install ok installed', status))).map(
        ({ selection }) => selection,
      ),
      expected,
    );
  f('deinstall ok config-files', []);
  f('install ok half-installed', []);
  f('install ok unpacked', []);
  f('', []);
  f('hold ok installed', ['hold']);
});

test('any text is parsed without an error', () => {
  const line = fc.constantFrom(
    'Package: a',
    'Version: 1',
    'Status: install ok installed',
    '',
    ' x',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string())), (lines) => {
      for (const one of parsePackageStatus(Buffer.from(lines.join('\n'))))
        assert.notEqual(one.name, '');
    }),
  );
});

test('an unchanged status file is not read again', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'packages-'));
  const statusFile = join(folder.path, 'status');
  await writeFile(statusFile, libc);
  const packages = createPackagesFingerprinter({ key, statusFile });
  const first = await packages.read('rehash', signal);
  assert.equal(await packages.read('rescan', signal), first);
  await writeFile(statusFile, `${libc}\n${libc.replace('libc6', 'libm')}`);
  const second = await packages.read('rescan', signal);
  assert.deepEqual(second.map(nameOf), ['libc6:amd64', 'libm:amd64']);
});

test('a missing or empty status file is a failure, not a host without packages', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'packages-'));
  const statusFile = join(folder.path, 'status');
  const packages = createPackagesFingerprinter({ key, statusFile });
  await assert.rejects(packages.read('rehash', signal), { code: 'ENOENT' });
  await writeFile(statusFile, '');
  await assert.rejects(packages.read('rehash', signal), { code: 'PACKAGE_STATUS_EMPTY' });
  await rm(statusFile);
});
