// In: a folder that looks like /proc/sys. Out: proof of what is read, left out and unreadable.
// Never: depends on the kernel that tests run on.

import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { kernelParameterPatterns, volatileParameters } from '@foreshadow/configuration';
import { nameOf, type Finding } from './fingerprinter.ts';
import { createKernelParametersFingerprinter, parameterName } from './kernel-parameters.ts';

const key = Buffer.alloc(32, 1);
const signal = new AbortController().signal;

test('parameters are read by the names that sysctl uses', async () => {
  const findings = await readTree({
    'vm/swappiness': '60\n',
    'net/ipv4/conf/all/rp_filter': '2\n',
    'net/ipv4/tcp_rmem': '4096\t131072\t6291456\n',
    'dev/hpet/max-user-freq': '64\n',
  });
  const values = findings.map((finding) => [
    nameOf(finding),
    finding.kind === 'present' ? finding.item.facts['value'] : finding.reason,
  ]);
  assert.deepEqual(
    values.toSorted((left, right) => ((left[0] ?? '') < (right[0] ?? '') ? -1 : 1)),
    [
      ['net.ipv4.conf.all.rp_filter', '2'],
      ['net.ipv4.tcp_rmem', '4096 131072 6291456'],
      ['vm.swappiness', '60'],
    ],
  );
  assert.equal(parameterName('net/ipv4/conf/eth0.100/mtu'), 'net.ipv4.conf.eth0/100.mtu');
});

test('counters, triggers, secrets and what is named after interfaces are left out', async () => {
  const paths = [
    'kernel/random/uuid',
    'kernel/random/boot_id',
    'kernel/ns_last_pid',
    'kernel/hostname',
    'fs/file-nr',
    'fs/inode-nr',
    'fs/dentry-state',
    'fs/binfmt_misc/status',
    'vm/drop_caches',
    'vm/numa_stat',
    'net/ipv4/conf/eth0/rp_filter',
    'net/ipv4/tcp_fastopen_key',
  ];
  const findings = await readTree(Object.fromEntries(paths.map((path) => [path, '1\n'])));
  assert.deepEqual(findings.map(nameOf), []);
});

test('a parameter without read permission is left out', async () => {
  const findings = await readTree({ 'vm/trigger': '1', 'vm/overcommit_memory': '0' }, 'vm/trigger');
  assert.deepEqual(findings.map(nameOf), ['vm.overcommit_memory']);
});

test('a missing tree is a failure, not a kernel without parameters', async () => {
  const root = '/nowhere/sys';
  const parameters = createKernelParametersFingerprinter({ key, root, include: [], exclude: [] });
  await assert.rejects(parameters.read('rehash', signal), { code: 'ENOENT' });
});

async function readTree(
  files: Readonly<Record<string, string>>,
  writeOnly?: string,
): Promise<readonly Finding[]> {
  await using root = await mkdtempDisposable(join(tmpdir(), 'sys-'));
  for (const [path, value] of Object.entries(files)) {
    await mkdir(dirname(join(root.path, path)), { recursive: true });
    await writeFile(join(root.path, path), value);
  }
  if (writeOnly !== undefined) await chmod(join(root.path, writeOnly), 0o200);
  const parameters = createKernelParametersFingerprinter({
    key,
    root: root.path,
    include: kernelParameterPatterns,
    exclude: volatileParameters.map(({ pattern }) => pattern),
  });
  // Awaited here: the folder goes when this function returns.
  return await parameters.read('rehash', signal);
}
