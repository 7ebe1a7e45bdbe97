// In: values that were changed. Out: proof that none passes for whole.
// Never: opens level.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seal, sealJson, unseal, unsealJson } from './seal.ts';

const key = Buffer.from('shost/web-1');

test('a sealed payload comes back, bytes and JSON', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (payload) => {
      const opened = unseal(key, seal(key, payload));
      deepEqual(opened && Buffer.from(opened), Buffer.from(payload));
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      equal(JSON.stringify(unsealJson(key, sealJson(key, value))), text);
    }),
  );
});

test('a value with one bit flipped, cut, or under another key is not given out', () => {
  const changed = fc.tuple(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.nat(7));
  fc.assert(
    fc.property(changed, ([payload, at, bit]) => {
      const value = seal(key, payload);
      equal(unseal(Buffer.from('shost/web-2'), value), undefined);
      equal(unseal(key, value.subarray(0, at % value.length)), undefined);
      const index = at % value.length;
      value[index] = (value[index] ?? 0) ^ (1 << bit);
      equal(unseal(key, value), undefined);
    }),
  );
});
