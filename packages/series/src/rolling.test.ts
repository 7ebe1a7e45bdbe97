import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { rollingMeanInto } from './rolling.ts';

function means(values: readonly number[], cells: number, countMin: number): number[] {
  const target = new Float64Array(values.length);
  rollingMeanInto(target, Float64Array.from(values), { cells, countMin });
  return [...target];
}

test('a mean skips absent cells and needs enough present ones', () => {
  assert.deepEqual(means([1, 3, NaN, 5, NaN, NaN], 3, 2), [NaN, 2, 2, 4, NaN, NaN]);
  assert.deepEqual(means([NaN, 4], 2, 1), [NaN, 4]);
  assert.deepEqual(means([NaN], 1, 0), [NaN]);
});

test('a mean lies between the smallest and the largest value', () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 8 }), (given, count) =>
      means(given, count, 1).every(
        (mean) => mean >= Math.min(...given) - 1e-6 && mean <= Math.max(...given) + 1e-6,
      ),
    ),
  );
});

test('target and source of different lengths are a mistake of the caller', () => {
  const window = { cells: 1, countMin: 1 };
  assert.throws(() => rollingMeanInto(new Float64Array(1), new Float64Array(2), window), {
    name: 'TypeError',
  });
});
