// In: unit folders of every kind. Out: proof of the state that each unit has.
// Never: needs systemd.

import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { FingerprintItem } from '@foreshadow/model';
import { createServicesFingerprinter } from './services.ts';

const signal = new AbortController().signal;
const installable = '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';

test('the state of a unit follows from what is written down', async () => {
  await using root = await openRoot();
  const f = (name: string, state: string | undefined): void =>
    assert.equal(items.get(name)?.facts['state'], state, name);
  await root.write('usr/lib/systemd/system/web.service', installable);
  await root.link('etc/systemd/system/multi-user.target.wants/web.service', '/lib/web.service');
  await root.write('usr/lib/systemd/system/off.service', installable);
  await root.write('usr/lib/systemd/system/inner.service', '[Service]\nExecStart=/bin/true\n');
  await root.write('usr/lib/systemd/system/hidden.timer', installable);
  await root.link('etc/systemd/system/hidden.timer', '/dev/null');
  await root.write('etc/systemd/system/empty.socket', '');
  await root.link('etc/systemd/system/dbus-web.service', '/lib/systemd/system/web.service');
  await root.write('usr/lib/systemd/system/getty@.service', installable);
  await root.link(
    'etc/systemd/system/getty.target.wants/getty@tty1.service',
    '/lib/getty@.service',
  );
  await root.link('etc/systemd/system/multi-user.target.wants/gone.service', '/lib/gone.service');
  await root.write('usr/lib/systemd/system/x.target', '');
  const items = await root.read();
  f('web.service', 'enabled');
  f('off.service', 'disabled');
  f('inner.service', 'static');
  f('hidden.timer', 'masked');
  f('empty.socket', 'masked');
  f('dbus-web.service', 'alias');
  f('getty@tty1.service', 'enabled');
  f('getty@.service', undefined);
  f('gone.service', 'missing');
  f('x.target', undefined);
});

test('each thing that is configured of a unit changes its digest', async () => {
  await using root = await openRoot();
  await root.write('usr/lib/systemd/system/web.service', installable);
  const digests = new Set<string | undefined>();
  const digest = async (): Promise<void> =>
    void digests.add((await root.read()).get('web.service')?.digest);
  await digest();
  await root.write('usr/lib/systemd/system/web.service', `${installable}#`);
  await digest();
  await root.link('etc/systemd/system/multi-user.target.wants/web.service', '/lib/web.service');
  await digest();
  await root.write('etc/systemd/system/web.service.d/limit.conf', '[Service]\nLimitNOFILE=1\n');
  await digest();
  await root.write('etc/systemd/system/web.service.d/limit.conf', '[Service]\nLimitNOFILE=12\n');
  await digest();
  await root.write('etc/systemd/system/web.service', installable);
  await digest();
  await rm(join(root.path, 'etc/systemd/system/web.service'));
  await root.link('etc/systemd/system/web.service', '/dev/null');
  await digest();
  assert.equal(digests.size, 7);
  assert.equal(digests.has(undefined), false);
});

test('a unit that cannot be read is unreadable, and the others are read', async () => {
  await using root = await openRoot();
  await root.write('etc/systemd/system/good.service', installable);
  await root.link('etc/systemd/system/loop.service', 'loop.service');
  const findings = await root.readAll();
  assert.deepEqual(
    findings.find((finding) => finding.kind === 'unreadable'),
    { kind: 'unreadable', subject: 'service', name: 'loop.service', reason: 'not-a-file' },
  );
  assert.equal(findings.length, 2);
});

// oxlint-disable-next-line typescript/explicit-function-return-type -- The type is long and said
// below.
async function openRoot() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'units-'));
  const services = createServicesFingerprinter({ key: Buffer.alloc(32, 1), root: folder.path });
  const prepared = async (path: string): Promise<string> => {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    return join(folder.path, path);
  };
  const readAll = async () => services.read('rescan', signal);
  return {
    path: folder.path,
    readAll,
    write: async (path: string, text: string) => writeFile(await prepared(path), text),
    link: async (path: string, target: string) => symlink(target, await prepared(path)),
    read: async (): Promise<ReadonlyMap<string, FingerprintItem>> => {
      const findings = await readAll();
      return new Map(
        findings.flatMap((one) => (one.kind === 'present' ? [[one.item.name, one.item]] : [])),
      );
    },
    [Symbol.asyncDispose]: async () => folder.remove(),
  };
}
