import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { robustTrend } from './trend.ts';

const ramp = (length: number, slope: number): Float64Array =>
  Float64Array.from({ length }, (_, index) => 1 + slope * index);

test('too few points have no trend', () => {
  assert.equal(robustTrend(new Float64Array(0)), undefined);
  assert.equal(robustTrend(ramp(17, 1)), undefined); // Five slices of three.
  assert.equal(robustTrend(new Float64Array(300).fill(NaN)), undefined);
});

test('a straight line is found, however long it is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 18, max: 900 }),
      fc.double({ min: -5, max: 5, noNaN: true }),
      (length, slope) => {
        const trend = robustTrend(ramp(length, slope));
        assert.ok(trend !== undefined);
        assert.ok(Math.abs(trend.slopePerCell - slope) < 1e-6);
        assert.ok(Math.abs(trend.level - (1 + slope * (length - 1))) < 1e-4);
      },
    ),
  );
});

test('outliers and holes do not bend the line', () => {
  const values = ramp(300, 0.01);
  for (let index = 0; index < 300; index += 7) values[index] = index % 2 === 0 ? 1e6 : NaN;
  const trend = robustTrend(values);
  assert.ok(trend !== undefined && Math.abs(trend.slopePerCell - 0.01) < 1e-3);
});

test('a level line does not rise, and a step is less steady than a ramp', () => {
  assert.equal(robustTrend(new Float64Array(100).fill(3))?.steadiness, 0);
  const noisy = (level: (index: number) => number): Float64Array =>
    Float64Array.from({ length: 300 }, (_, index) => level(index) + 0.1 * Math.sin(index * 7.3));
  const step = robustTrend(noisy((index) => (index < 250 ? 0 : 1)));
  const steady = robustTrend(noisy((index) => index / 300));
  assert.ok(step !== undefined && steady !== undefined);
  assert.ok(steady.steadiness > 6 && step.steadiness < 6);
});
