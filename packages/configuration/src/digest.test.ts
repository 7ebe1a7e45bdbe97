// In: keys, bytes and parts. Out: proof that digests are keyed, kept apart and unambiguous.
// Never: pins a plain hash.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  createContentDigest,
  fileContentDigest,
  fileItemDigest,
  itemDigest,
  type FileAttributes,
} from './digest.ts';

const key = Buffer.alloc(32, 7);
const file: FileAttributes = {
  kind: 'file',
  content: 'a'.repeat(32),
  mode: '0644',
  owner: 'root',
  group: 'root',
};

test('a key below 16 bytes is a mistake of the caller', () => {
  assert.throws(() => fileContentDigest(Buffer.alloc(15), Buffer.alloc(0)), TypeError);
  assert.throws(() => itemDigest(Buffer.alloc(0), []), TypeError);
});

test('the digest of the empty file is fixed for all time', () => {
  assert.equal(fileContentDigest(key, Buffer.alloc(0)), 'c5442bef2b10faaa632411f5dde8a80c');
});

test('another key gives another digest', () => {
  const other = Buffer.alloc(32, 8);
  const content = Buffer.from('password=1');
  assert.notEqual(fileContentDigest(key, content), fileContentDigest(other, content));
  assert.notEqual(itemDigest(key, ['a']), itemDigest(other, ['a']));
});

test('how content is cut into chunks does not matter', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), (content, at) => {
      const cut = content.length === 0 ? 0 : at % content.length;
      const digest = createContentDigest(key);
      digest.update(content.subarray(0, cut));
      digest.update(content.subarray(cut));
      const whole = fileContentDigest(key, content);
      assert.equal(digest.finish(), whole);
      assert.match(whole, /^[0-9a-f]{32}$/);
    }),
  );
});

test('lists of parts have the same digest only when they are the same list', () => {
  const parts = fc.array(fc.string({ unit: 'grapheme', maxLength: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (left, right) => {
      const isSame = JSON.stringify(left) === JSON.stringify(right);
      assert.equal(itemDigest(key, left) === itemDigest(key, right), isSame);
    }),
  );
  assert.notEqual(itemDigest(key, ['ab', 'c']), itemDigest(key, ['a', 'bc']));
  assert.notEqual(itemDigest(key, ['']), itemDigest(key, []));
});

test('content cannot be made to look like an item', () => {
  const encoded = Buffer.from([0, 0, 0, 1, 0x61]);
  assert.notEqual(fileContentDigest(key, encoded), itemDigest(key, ['a']));
});

test('each attribute of a file changes its digest', () => {
  const { content, ...withoutContent } = file;
  const changed: readonly FileAttributes[] = [
    { ...file, kind: 'link' },
    { ...file, content: `${content?.slice(1)}b` },
    { ...file, mode: '0600' },
    { ...file, owner: 'shop' },
    { ...file, group: 'shop' },
    { ...file, target: '' },
    withoutContent,
  ];
  const digests = new Set([file, ...changed].map((one) => fileItemDigest(key, one)));
  assert.equal(digests.size, changed.length + 1);
});
