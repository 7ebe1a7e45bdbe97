import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from './random.ts';

test('the same seed gives the same stream, another seed another', () => {
  const stream = (seed: number): readonly number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 5 }, () => random());
  };
  assert.deepEqual(stream(1), stream(1));
  assert.notDeepEqual(stream(1), stream(2));
});

test('numbers lie in [0, 1) and spread evenly', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = seededRandom(seed);
      const values = Array.from({ length: 400 }, () => random());
      assert(values.every((value) => value >= 0 && value < 1));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      assert(Math.abs(mean - 0.5) < 0.1, `mean ${mean}`);
    }),
  );
});
