// Facts about the layout: everything lies in one folder, for its owner alone, on five ports.

import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { planLayout, sides, writeLayout } from './layout.ts';

test('a layout uses five ports in a row, each once', () => {
  const layout = planLayout({ folder: '/x', port: 8_000 });
  const servicePorts = sides.map((side) => layout.hosts[side].servicePort);
  const ports = [layout.apiPort, layout.controlPort, layout.brokerPort, ...servicePorts];
  assert.deepEqual(new Set(ports), new Set([8_000, 8_001, 8_002, 8_003, 8_004]));
});

test('all files lie below the folder, and nobody else may read them', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'layout-'));
  const layout = planLayout({ folder: folder.path, port: 8_000 });
  await writeLayout(layout, { intervalMs: 1_000 });
  const names = await readdir(folder.path, { recursive: true });
  for (const name of names) {
    const { mode } = await stat(join(folder.path, name));
    assert.equal(mode & 0o077, 0, name);
  }
  const written = new Set(names.map((name) => join(folder.path, name)));
  for (const side of sides) {
    const host = layout.hosts[side];
    for (const path of [host.serviceConfigPath, host.agentConfigPath, host.actuatorPolicyPath])
      assert.ok(written.has(path), path);
  }
  assert.ok(written.has(layout.controllerConfigPath));
});

test('both hosts have one key, one configuration, and only the shadow may be restored', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'layout-'));
  const layout = planLayout({ folder: folder.path, port: 8_000 });
  await writeLayout(layout, { intervalMs: 1_000 });
  const [production, shadow] = [layout.hosts.production, layout.hosts.shadow];
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  assert.equal(await read(production.serviceConfigPath), await read(shadow.serviceConfigPath));
  assert.match(await read(join(folder.path, 'fingerprint.key')), /^[0-9a-f]{64}\n$/);
  const policyOf = async (path: string): Promise<{ readonly restore: { enabled: boolean } }> =>
    JSON.parse(await read(path)) as never; // Written a moment ago.
  assert.equal((await policyOf(production.actuatorPolicyPath)).restore.enabled, false);
  assert.equal((await policyOf(shadow.actuatorPolicyPath)).restore.enabled, true);
});

test('a folder whose name needs quoting is quoted', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'layout: "odd" #'));
  const layout = planLayout({ folder: folder.path, port: 8_000 });
  await writeLayout(layout, { intervalMs: 1_000, natsServer: '/a "b"/nats-server' });
  const text = await readFile(layout.controllerConfigPath, 'utf8');
  assert.ok(text.includes(JSON.stringify('/a "b"/nats-server')));
  assert.ok(text.includes(JSON.stringify(join(folder.path, 'controller', 'state'))));
});

test('a second run has the key of the first', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'layout-'));
  const layout = planLayout({ folder: folder.path, port: 8_000 });
  const keys: string[] = [];
  for (let run = 0; run < 2; run += 1) {
    await writeLayout(layout, { intervalMs: 1_000 });
    keys.push(await readFile(join(folder.path, 'fingerprint.key'), 'utf8'));
  }
  assert.match(keys[0] ?? '', /^[0-9a-f]{64}\n$/);
  assert.equal(keys[0], keys[1]);
});
