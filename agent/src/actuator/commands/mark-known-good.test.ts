import { linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { FOLDER_DEPTH_MAX } from '../held-file.ts';
import { codeOf, digestOf, openLab, type Lab } from '../lab.test.ts';
import { VERSION_FILES_MAX } from './mark-known-good.ts';

const mark = { kind: 'mark-known-good' } as const;

function kept(lab: Lab): readonly string[] {
  const folder = join(lab.policy.state, 'versions');
  return readdirSync(folder).toSorted();
}

test('a mark keeps every regular file under the allowed paths and names them', () => {
  using lab = openLab();
  mkdirSync(lab.path('deep/er'), { recursive: true });
  lab.write('a', '1');
  lab.write('deep/er/b', '2');
  lab.write('empty', '');
  const outcome = lab.run(mark);
  assert.deepEqual(outcome.kind === 'done' && outcome.details, {
    count: '3',
    items: 'file:/etc/shop/a, file:/etc/shop/deep/er/b, file:/etc/shop/empty',
    skippedCount: '0',
    skipped: '',
  });
  assert.deepEqual(kept(lab), ['1', '2', ''].map((text) => digestOf(text)).toSorted());
});

test('a mark keeps neither links nor FIFOs, and says which files it left out', () => {
  using lab = openLab({ bytesMax: 100 });
  writeFileSync(join(lab.folder, 'secret'), 'not allowed');
  symlinkSync(join(lab.folder, 'secret'), lab.path('link'));
  symlinkSync(lab.folder, lab.path('folder'));
  execFileSync('mkfifo', [lab.path('fifo')]);
  lab.write('large', 'x'.repeat(101));
  linkSync(join(lab.folder, 'secret'), lab.path('hard'));
  lab.write('a', '1');
  const outcome = lab.run(mark);
  assert.equal(outcome.kind, 'done');
  const { details } = outcome.kind === 'done' ? outcome : { details: undefined };
  assert.equal(details?.['count'], '1');
  assert.equal(
    details?.['skipped'],
    'file:/etc/shop/hard (TARGET_HAS_LINKS), file:/etc/shop/large (TARGET_TOO_LARGE)',
  );
  assert.deepEqual(kept(lab), [digestOf('1')]);
});

test('a mark with nothing to keep is refused', () => {
  using lab = openLab();
  assert.equal(codeOf(lab.run(mark)), 'NOTHING_TO_KEEP');
});

test('too many files, or too deep ones, are refused as a whole', () => {
  using lab = openLab();
  for (let index = 0; index <= VERSION_FILES_MAX; index += 1) lab.write(`f${index}`, '');
  assert.equal(codeOf(lab.run(mark)), 'TOO_MANY_FILES');
  assert.deepEqual(kept(lab), []);
  using deep = openLab();
  mkdirSync(deep.path('d/'.repeat(FOLDER_DEPTH_MAX + 1)), { recursive: true });
  assert.equal(codeOf(deep.run(mark)), 'TOO_MANY_FILES');
});

test('one file can be allowed by itself, and a missing one is refused', () => {
  using lab = openLab({ allowed: ['real/a'] });
  assert.equal(codeOf(lab.run(mark)), 'TARGET_MISSING');
  lab.write('a', '1');
  lab.write('b', '2');
  const outcome = lab.run(mark);
  assert.equal(outcome.kind === 'done' && outcome.details['items'], 'file:/etc/shop/a');
});

test('a dry run of a mark keeps nothing', () => {
  using lab = openLab();
  lab.write('a', '1');
  assert.equal(lab.run(mark, { isDryRun: true }).kind, 'done');
  assert.deepEqual(kept(lab), []);
  assert.equal(codeOf(lab.restore('a', { live: '2', good: '1' })), 'VERSION_UNKNOWN');
});

test('a mark that takes too long marks nothing', () => {
  using lab = openLab();
  lab.write('a', '1');
  lab.afterRecord = ({ state }) => {
    if (state === 'APPLYING') lab.clock.monotonicMs += 10_000;
  };
  assert.equal(codeOf(lab.run(mark)), 'TIME_LIMIT_PASSED');
  assert.equal(codeOf(lab.restore('a', { live: '2', good: '1' })), 'VERSION_UNKNOWN');
});

test('an interrupted mark is found done or not done', () => {
  for (const state of ['VERIFIED', 'APPLYING', 'APPLIED'] as const) {
    using lab = openLab();
    lab.write('a', '1');
    lab.crashAt(state);
    assert.throws(() => lab.run(mark, { id: 'cmd-aaaaaaaaaaaa' }));
    lab.restart();
    const outcome = lab.run(mark, { id: 'cmd-aaaaaaaaaaaa' });
    assert.equal(codeOf(outcome), state === 'APPLIED' ? 'done' : 'INTERRUPTED', state);
    assert.equal(kept(lab).length, state === 'APPLIED' ? 1 : 0, 'contents without a mark go');
  }
});
