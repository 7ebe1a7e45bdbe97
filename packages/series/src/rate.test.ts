import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { rateInto } from './rate.ts';

function rates(times: readonly number[], values: readonly number[]): readonly number[] {
  const target = new Float64Array(times.length);
  rateInto(target, Float64Array.from(times), Float64Array.from(values), 1_000);
  return [...target];
}

test('a rate is known only where two samples of one run of the counter tell it', () => {
  const f = (times: number[], values: number[], expected: number[]): void =>
    assert.deepEqual(rates(times, values), expected);
  f([], [], []);
  f([0], [5], [NaN]);
  f([0, 1_000, 3_000], [5, 7, 8], [NaN, 2, 0.5]);
  f([0, 1_000, 2_000], [5, 1, 2], [NaN, NaN, 1]); // Reset.
  f([0, 3_000, 6_001], [0, 3, 6], [NaN, 1, NaN]); // Gap.
  f([0, 1_000, 500, 1_500], [0, 1, 2, 3], [NaN, 1, NaN, 1]); // Clock went back.
  f([0, 1_000, 2_000], [0, NaN, 4], [NaN, NaN, 2]); // Not reported.
  f([0, 1_000], [0, Infinity], [NaN, NaN]);
});

test('lengths that differ are a mistake of the caller', () => {
  assert.throws(() => rateInto(new Float64Array(1), new Float64Array(2), new Float64Array(2), 1), {
    name: 'TypeError',
  });
});

test('a rate is never negative and never infinite, whatever the samples are', () => {
  const sample = fc.tuple(fc.double(), fc.double());
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 50 }), (samples) => {
      const found = rates(
        samples.map(([time]) => time),
        samples.map(([, value]) => value),
      );
      return found.every((rate) => Number.isNaN(rate) || rate >= 0);
    }),
  );
});
