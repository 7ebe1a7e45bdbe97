// Proves that thinning a series invents nothing and keeps the newest value.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { thinned } from './host-routes.ts';

test('a thinned series is a bounded part of the series with its newest value', () => {
  const values = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.constant(Number.NaN)), {
    maxLength: 50,
  });
  fc.assert(
    fc.property(values, fc.integer({ min: 2, max: 12 }), (given, pointsMax) => {
      const times = Float64Array.from(given, (_, index) => index);
      const series = { values: Float64Array.from(given) };
      const answer = thinned(times, series, pointsMax);
      assert.ok(answer.timesMs.length <= pointsMax);
      for (const [position, time] of answer.timesMs.entries())
        assert.ok(Object.is(series.values[time], answer.values[position]));
      assert.equal(
        answer.timesMs.at(-1) ?? -1,
        given.findLastIndex((value) => !Number.isNaN(value)),
      );
    }),
  );
});
