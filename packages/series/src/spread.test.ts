import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { median, robustSpread } from './spread.ts';

test('the median is the middle of what is present', () => {
  const f = (values: number[], expected: number): void =>
    assert.equal(median(Float64Array.from(values)), expected);
  f([], NaN);
  f([NaN], NaN);
  f([3, NaN, 1], 2);
  f([5, -1, 10], 5);
});

test('the spread estimates σ and does not follow one wild value', () => {
  assert.equal(robustSpread(Float64Array.of(1, 2, 3, 4, 5)), 1.4826);
  assert.equal(robustSpread(Float64Array.of(1, 2, 3, 4, 1e9)), 1.4826);
  assert.equal(robustSpread(new Float64Array(0)), NaN);
});

test('half of the values lie on either side of the median', () => {
  const values = fc.array(
    fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e9, min: -1e9 }),
    {
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(values, (given) => {
      const middle = median(Float64Array.from(given));
      const below = given.filter((value) => value < middle).length;
      const above = given.filter((value) => value > middle).length;
      return below <= given.length / 2 && above <= given.length / 2;
    }),
  );
});
