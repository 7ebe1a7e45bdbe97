import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pairIdOf, parseHostId, type Deviation, type ObservableName } from '@foreshadow/model';
import type { LoadComparison, NoiseFloor, PairWindow } from '@foreshadow/model';
import { measureDeviations } from './measure.ts';

const production = parseHostId('a');
const shadow = parseHostId('b');
assert.ok(production !== undefined && shadow !== undefined);
const pair = { id: pairIdOf(production, shadow), production, shadow, origin: 'explicit' };

type Side = readonly number[];
type Given = Partial<Record<ObservableName, readonly [Side, Side]>>;

function windowOf(given: Given, stepMs = 1_000): PairWindow {
  const entries = Object.entries(given);
  return {
    pair,
    startMs: 0,
    stepMs,
    cellCount: entries[0]?.[1][0].length ?? 0,
    // Object.entries forgets the literal types.
    names: entries.map(([name]) => name as ObservableName),
    production: entries.map(([, [left]]) => Float64Array.from(left)),
    shadow: entries.map(([, [, right]]) => Float64Array.from(right)),
    commonCount: 5,
    newestMs: 5_000,
  };
}

function measure(sides: readonly [Side, Side], noise?: NoiseFloor): Deviation {
  const [measured] = measureDeviations([windowOf({ cpu_used_ratio: sides })], {
    noise: () => noise,
  });
  const [deviation] = measured?.deviations ?? [];
  assert.ok(deviation !== undefined);
  return deviation;
}

const flat = (value: number, length = 10): number[] => Array.from({ length }, () => value);

test('deviation is the distance in shares of production, over means of the judged cells', () => {
  const { deviation, production: left, shadow: right } = measure([flat(0.5), flat(0.75)]);
  assert.deepEqual([deviation, left, right], [0.5, 0.5, 0.75]);
});

test('deviation is absent where production is below its floor, and the distance is not', () => {
  for (const value of [0, 0.019]) {
    const measured = measure([flat(value), flat(0.5)]);
    assert.ok(!('deviation' in measured));
    assert.equal(measured.distance.at(-1), 0.5 - value);
  }
});

test('an evaluation needs three of five cells which both sides have', () => {
  const few = measure([
    [NaN, NaN, NaN, 0.5, 0.5],
    [0.5, 0.5, 0.5, 0.5, 0.5],
  ]);
  assert.ok(!('deviation' in few) && !('production' in few));
  const lopsided = measure([
    [0.5, 9, 0.5, 0.5, 0.5],
    [0.5, NaN, 0.5, 0.5, 0.5],
  ]);
  assert.equal(lopsided.deviation, 0);
});

test('velocity is the change since the evaluation before, per minute', () => {
  const { velocityPerMinute, velocityPeakPerMinute } = measure([
    flat(0.5),
    [...flat(0.5, 7), 1, 0.5, 0.5],
  ]);
  assert.equal(velocityPerMinute, 0);
  assert.ok(Math.abs((velocityPeakPerMinute ?? 0) - 12) < 1e-9); // A fifth of 100 % in a second.
  assert.ok(!('velocityPerMinute' in measure([flat(0.5, 3), flat(0.5, 3)])));
});

test('a trend needs half of five minutes, and is per minute', () => {
  const ramp = (length: number): number[] =>
    Array.from({ length }, (_, second) => 0.5 * (1 + second / 600));
  const short = measure([flat(0.5, 140), ramp(140)]);
  assert.equal(short.trendPerMinute, undefined);
  const long = measure([flat(0.5, 300), ramp(300)]);
  assert.ok(Math.abs((long.trendPerMinute ?? 0) - 0.1) < 1e-3);
  assert.ok(Math.abs((long.trendLevel ?? 0) - (long.deviation ?? 0)) < 5e-3);
});

test('excess is counted from the learned floor, and absent before it is learned', () => {
  const excess = (n: number): number | undefined =>
    measure([flat(0.5), flat(0.75)], { center: 0.1, spread: 0.1, n }).excess;
  assert.equal(excess(10), undefined);
  assert.equal(excess(1_000), 4);
});

test('load is alike, different or unknown by the signals that both hosts report', () => {
  const f = (given: Given, kind: LoadComparison['kind']): void => {
    const [measured] = measureDeviations([windowOf(given)], { noise: () => undefined });
    assert.equal(measured?.load.kind, kind);
  };
  const bytes = (left: Side, right: Side): Given => ({
    process_read_bytes_per_second: [left, right],
  });
  f({ cpu_used_ratio: [flat(0.5), flat(0.5)] }, 'unknown');
  f(bytes(flat(5_000, 4), flat(5_000, 4)), 'unknown');
  f(bytes(flat(41_000), flat(200)), 'not-comparable');
  f(bytes(flat(200), flat(41_000)), 'not-comparable');
  f(bytes(flat(41_000), flat(0)), 'not-comparable');
  f(bytes(flat(41_000), flat(28_000)), 'comparable');
  f(bytes(flat(900), flat(0)), 'comparable'); // Both idle.
  f(bytes(flat(4_000, 40), [...flat(4_000, 37), 0, 0, 0]), 'not-comparable'); // Stopped just now.
  f(
    {
      ...bytes(flat(41_000), flat(41_000)),
      network_received_packets_per_second: [flat(1_000), flat(100)],
    },
    'not-comparable',
  );
});

test('whatever the cells hold, a number that is there is finite', () => {
  const cell = fc.oneof(fc.constant(NaN), fc.double({ min: 0, max: 1e12, noNaN: true }));
  const side = fc.array(cell, { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(side, side, (left, right) => {
      const { history: _, distance: __, trendSteadiness: ___, ...numbers } = measure([left, right]);
      for (const value of Object.values(numbers))
        if (typeof value === 'number') assert.ok(Number.isFinite(value));
    }),
  );
});
