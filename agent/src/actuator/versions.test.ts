import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { digestOf } from './lab.test.ts';
import {
  addVersion,
  openVersionStore,
  VERSION_ITEMS_MAX,
  VERSIONS_PER_ITEM_MAX,
  type Keep,
  type Version,
} from './versions.ts';

const stats = { mode: 0o100_640, uid: 1, gid: 2 };
const keep = (digest: string, atMs: number, isGood: boolean): Keep => ({
  item: 'file:/a',
  digest,
  stats,
  atMs,
  isGood,
});

test('versions are bounded, and the current mark stays however many follow', () => {
  const step = fc.record({ digest: fc.integer({ min: 0, max: 80 }), isGood: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 60, maxLength: 200 }), (steps) => {
      let versions: readonly Version[] = [];
      let marked: string | undefined;
      for (const [index, { digest, isGood }] of steps.entries()) {
        const isMark = isGood && index < 5;
        versions = addVersion(versions, keep(`${digest}`, index, isMark));
        marked = isMark ? `${digest}` : marked;
        assert.equal(versions.at(-1)?.digest, `${digest}`);
      }
      assert(versions.length <= VERSIONS_PER_ITEM_MAX);
      if (marked === undefined) return;
      const found = versions.find(({ digest }) => digest === marked);
      assert.notEqual(found?.markedAtMs, undefined);
    }),
    { numRuns: 50 },
  );
});

test('a version that is kept again for an undo stays known-good', () => {
  const marked = addVersion([], keep('a', 1, true));
  assert.deepEqual(addVersion(marked, keep('a', 2, false)), [
    { digest: 'a', number: 2, mode: 0o640, uid: 1, gid: 2, keptAtMs: 2, markedAtMs: 1 },
  ]);
});

test('contents that no version names are removed, and items are bounded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-versions-'));
  try {
    const options = { folder, digestOf, bytesMax: 100 };
    const store = openVersionStore(options);
    const digest = store.write(Buffer.from('1'));
    const entries = Array.from({ length: VERSION_ITEMS_MAX + 1 }, (_, index) => ({
      ...keep(digest, 1, true),
      item: `file:/${index}`,
    }));
    store.keep(entries);
    assert.equal(store.find('file:/0', digest), undefined);
    assert.notEqual(store.find('file:/1', digest), undefined);
    store.write(Buffer.from('2'));
    writeFileSync(join(folder, 'versions', '.foreshadow-new'), 'torn');
    const again = openVersionStore(options);
    assert.deepEqual(readdirSync(join(folder, 'versions')), [digest]);
    assert.equal(Buffer.from(again.read(digest) ?? []).toString(), '1');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
