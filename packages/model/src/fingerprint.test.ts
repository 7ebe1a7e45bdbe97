import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fingerprintSubjects, itemKey, parseItemKey } from './fingerprint.ts';

test('a key comes apart as it was put together, whatever the name', () => {
  const subject = fc.constantFrom(...fingerprintSubjects);
  fc.assert(
    fc.property(subject, fc.string({ minLength: 1 }), (given, name) => {
      assert.deepEqual(parseItemKey(itemKey(given, name)), { subject: given, name });
    }),
  );
});

test('a key without a known subject or without a name is none', () => {
  for (const bad of ['', 'file', 'file:', ':a', 'File:/a', 'files:/a', '/etc/a:b'])
    assert.equal(parseItemKey(bad), undefined, bad);
});
