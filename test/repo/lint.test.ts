import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { root } from './tree.ts';

test('the linter reports a promise of an imported function that nobody awaits', () => {
  const fixtures = join(root, 'test/fixtures/lint');
  const { status, stdout } = spawnSync(
    join(root, 'node_modules/.bin/oxlint'),
    ['--type-aware', '--config', 'oxlintrc.json', '--format', 'unix', 'floating-promise.ts'],
    { cwd: fixtures, encoding: 'utf8' },
  );
  assert.match(stdout, /floating-promise\.ts:6:\d+: .*no-floating-promises/);
  assert.equal(status, 1);
});
