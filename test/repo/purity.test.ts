import { test } from 'node:test';
import assert from 'node:assert/strict';
import { checkPurity } from './rules/purity.ts';
import { assertNone, readSources } from './tree.ts';

const problemsOf = (path: string, text: string): string =>
  checkPurity({ path, text })
    .map(({ message }) => message)
    .join('\n');

test('the clock is read in one file', () => {
  const text = 'const a = Date.now(); const b = new Date(); const c = `${performance.now()}`;';
  assert.equal(checkPurity({ path: 'agent/src/host/a.ts', text }).length, 3);
  assert.equal(problemsOf('packages/runtime/src/clock.ts', text), '');
  assert.equal(problemsOf('agent/src/host/a.ts', 'new Date(atMs).toISOString();'), '');
});

test('timers, randomness and the environment are injected', () => {
  assert.match(problemsOf('agent/src/host/a.ts', 'setTimeout(f, 1);'), /injected Clock/);
  assert.match(problemsOf('agent/src/a.test.ts', 'setInterval(f, 1);'), /injected Clock/);
  assert.match(problemsOf('agent/src/a.ts', "import { s } from 'node:timers/promises';"), /Clock/);
  const bound = 'AbortSignal.timeout(1);';
  assert.match(problemsOf('agent/src/link/a.ts', bound), /only main\.ts bounds itself so/);
  assert.equal(problemsOf('agent/src/main.ts', bound), '');
  assert.match(problemsOf('agent/src/main.ts', 'setTimeout(f, 1);'), /injected Clock/);
  assert.match(problemsOf('agent/src/link/a.ts', 'Math.random();'), /injected Random/);
  assert.match(problemsOf('agent/src/link/a.ts', "process.env['A'];"), /only main.ts/);
  assert.equal(problemsOf('agent/src/main.ts', "process.env['A'];"), '');
});

test('a pure room neither waits nor does I/O', () => {
  const room = 'controller/src/verdict/a.ts';
  assert.match(problemsOf(room, 'async function f() {}'), /async: a pure room/);
  assert.match(problemsOf(room, "import { readFileSync } from 'node:fs';"), /node:fs does I\/O/);
  assert.match(problemsOf('packages/configuration/src/a.ts', 'randomBytes(8);'), /pure room/);
  assert.equal(problemsOf(room, "import { strict } from 'node:assert'; // async"), '');
});

test('the tree is pure where it says so', () => {
  assertNone(readSources().flatMap(checkPurity));
});
