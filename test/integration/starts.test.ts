import { spawnSync } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';

const root = join(import.meta.dirname, '..', '..');

function start(program: 'agent' | 'controller', config: string): string {
  const main = join(root, program, 'src/main.ts');
  const { status, stderr } = spawnSync(process.execPath, [main, '--config', config], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.notEqual(status, 0);
  return stderr;
}

test('a program without its configuration file says which one, and ends', () => {
  for (const program of ['agent', 'controller'] as const)
    assert.match(start(program, '/nowhere/a.yaml'), /CONFIG_UNREADABLE.*\/nowhere\/a\.yaml/s);
});

test('an agent without the key of the fleet does not start', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'programs-'));
  const key = join(folder.path, 'key');
  const config = join(folder.path, 'agent.yaml');
  const lines = ['host: web', 'role: shadow', `stateFolder: ${folder.path}`];
  await writeFile(config, [...lines, `fingerprints: { keyFile: ${key} }`, ''].join('\n'));
  assert.match(start('agent', config), /FINGERPRINT_KEY_INVALID.*cannot be read/s);
  await writeFile(key, '0123');
  assert.match(start('agent', config), /FINGERPRINT_KEY_INVALID.*does not hold the key/s);
});
