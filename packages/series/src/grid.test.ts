import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { alignInto } from './grid.ts';

function cells(times: readonly number[], values: readonly number[], count: number): number[] {
  const target = new Float64Array(count);
  const grid = { startMs: 1_000, stepMs: 100 };
  alignInto(target, Float64Array.from(times), Float64Array.from(values), grid);
  return [...target];
}

test('a cell begins at its start, ends before the next, and holds its last value', () => {
  assert.deepEqual(cells([999, 1_000, 1_099, 1_100, 1_300], [1, 2, 3, 4, 5], 3), [3, 4, NaN]);
  assert.deepEqual(cells([1_010, 1_020], [7, NaN], 1), [7]);
  assert.deepEqual(cells([NaN, 1_020], [7, Infinity], 1), [NaN]);
});

test('what is in a cell was measured in it', () => {
  const times = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 40 });
  fc.assert(
    fc.property(times, (given) => {
      const found = cells(given, given, 10);
      found.forEach((value, cell) => {
        if (Number.isNaN(value)) return;
        assert.equal(Math.floor((value - 1_000) / 100), cell);
        assert.ok(given.includes(value));
      });
    }),
  );
});

test('times and values of different lengths are a mistake of the caller', () => {
  assert.throws(() => cells([1], [], 1), { name: 'TypeError' });
});
