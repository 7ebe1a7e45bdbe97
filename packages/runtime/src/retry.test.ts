import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from './random.ts';
import { backoffMs } from './retry.ts';

const bounds = { firstMs: 100, maxMs: 5_000 };

test('the ceiling doubles until its bound', () => {
  const ceilings = [0, 1, 5, 6, 1_000].map((attempt) => backoffMs(attempt, bounds, () => 0.999_99));
  assert.deepEqual(ceilings, [99, 199, 3_199, 4_999, 4_999]);
});

test('every wait is a whole number within the bounds', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer(), (attempt, seed) => {
      const waitMs = backoffMs(attempt, bounds, seededRandom(seed));
      assert(Number.isInteger(waitMs) && waitMs >= 0 && waitMs < bounds.maxMs);
    }),
  );
});

test('a fleet that failed together does not return together', () => {
  const waits = new Set(
    Array.from({ length: 100 }, (_, seed) => backoffMs(10, bounds, seededRandom(seed))),
  );
  assert(waits.size > 90);
});
