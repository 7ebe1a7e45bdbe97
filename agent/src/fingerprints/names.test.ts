// In: arbitrary bytes as file names. Out: proof that names stay apart and printable.
// Never: touches a disk.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { escapeName } from './names.ts';

test('ordinary names stay as they are', () => {
  for (const name of ['service.json', 'dev-disk-by\\x2duuid.swap', 'größe', '日本', 'a b', '\\'])
    assert.equal(escapeName(Buffer.from(name)), name);
});

test('bytes that are not UTF-8, and control characters, are escaped', () => {
  const f = (bytes: readonly number[], expected: string): void =>
    assert.equal(escapeName(Buffer.from(bytes)), expected);
  f([0x61, 0xff, 0x62], 'a\\xffb');
  f([0x61, 0x0a], 'a\\x0a');
  f([0xc3], '\\xc3');
  f([0xc3, 0xa9, 0xc3], 'é\\xc3');
});

test('a name that spells an escape is told from the bytes that it spells', () => {
  assert.equal(escapeName(Buffer.from('\\xff')), '\\x5cxff');
  assert.equal(escapeName(Buffer.from('\\x5cxff')), '\\x5cx5cxff');
  assert.equal(escapeName(Buffer.from([0x5c, 0xff])), '\\\\xff');
});

test('two names are never one, and all are printable', () => {
  const byte = fc.constantFrom(0x01, 0x30, 0x35, 0x5c, 0x63, 0x66, 0x78, 0x7f, 0xc3, 0xa9, 0xff);
  const bytes = fc.array(byte, { minLength: 1, maxLength: 10 });
  const name = bytes.map((one) => Buffer.from(one));
  fc.assert(
    fc.property(name, name, (left, right) => {
      assert.equal(escapeName(left) === escapeName(right), left.equals(right));
      assert.match(escapeName(left), /^\P{Cc}+$/u);
    }),
    { numRuns: 2_000 },
  );
});
