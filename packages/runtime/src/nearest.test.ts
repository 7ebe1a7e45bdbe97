import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WORD_LENGTH_MAX, editDistance, nearest } from './nearest.ts';

test('a slip of two letters still finds the word', () => {
  const f = (word: string, expected: string | undefined): void =>
    assert.equal(nearest(word, ['port', 'host', 'retentionDays']), expected);
  f('prot', 'port');
  f('hots', 'host');
  f('RETENTION_DAYS', 'retentionDays');
  f('retnetionDay', 'retentionDays');
  f('colour', undefined);
});

test('a word that shares no letter suggests nothing, however short', () => {
  assert.equal(nearest('xy', ['ab']), undefined);
  assert.equal(nearest('', ['a']), undefined);
});

test('a word longer than any name is not compared', () => {
  assert.equal(nearest('a'.repeat(WORD_LENGTH_MAX + 1), ['a'.repeat(WORD_LENGTH_MAX)]), undefined);
});

test('the distance is a metric', () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      assert.equal(editDistance(a, a), 0);
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert(editDistance(a, c) <= editDistance(a, b) + editDistance(b, c));
      assert(editDistance(a, b) <= Math.max(a.length, b.length));
    }),
  );
});
