import { test } from 'node:test';
import assert from 'node:assert/strict';
import { newBootId, newIdentifier } from './identifiers.ts';

test('identifiers keep their form and do not repeat', () => {
  assert.match(newIdentifier('cmd'), /^cmd-[0-9a-f]{24}$/);
  assert.match(newBootId(), /^[0-9a-f]{16}$/);
  assert.equal(new Set(Array.from({ length: 100 }, newBootId)).size, 100);
});
