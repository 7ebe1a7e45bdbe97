import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { bundle } from '../../install/bundle.ts';

const root = join(import.meta.dirname, '..', '..');
const entry = 'agent/src/actuator/main.ts';

test('a bundle runs alone, and on an older Node it says so and ends', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'foreshadow-bundle-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const files = await bundle({ name: 'planted', entry }, { root, folder });
  assert.deepEqual(files, ['planted.mjs']);

  const run = (...flags: readonly string[]): { readonly status: number | null; stderr: string } =>
    spawnSync(process.execPath, [...flags, join(folder, 'planted.mjs')], { encoding: 'utf8' });
  assert.match(run().stderr, /usage/);

  const pretend = "Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } });";
  const { status, stderr } = run('--import', `data:text/javascript,${encodeURIComponent(pretend)}`);
  assert.equal(status, 1);
  assert.match(stderr, /^planted needs Node 24 or newer and was started with v\S+\n$/);
});
