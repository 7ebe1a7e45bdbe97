import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  pairIdOf,
  parseHostId,
  type MetricName,
  type Pair,
  type RawWindow,
} from '@foreshadow/model';
import { CELLS_MAX, alignPairs } from './align.ts';

const production = parseHostId('a');
const shadow = parseHostId('b');
assert.ok(production !== undefined && shadow !== undefined);
const pair: Pair = { id: pairIdOf(production, shadow), production, shadow, origin: 'explicit' };

type Metrics = Partial<Record<MetricName, readonly (readonly number[])[]>>;

function raw(times: readonly number[], metrics: Metrics, intervalMs = 1_000): RawWindow {
  assert.ok(production !== undefined);
  const series = new Map(
    Object.entries(metrics).map(([name, instances]) => [
      name as MetricName, // Object.entries forgets the literal types.
      instances.map((values, index) => ({
        instance: `i${index}`,
        values: Float64Array.from(values),
      })),
    ]),
  );
  return { host: production, intervalMs, times: Float64Array.from(times), series };
}

function align(left: RawWindow, right: RawWindow, nowMs: number, spanMs = 5_000): Aligned {
  const read = (host: string): RawWindow => (host === production ? left : right);
  const [window] = alignPairs({ pairs: [pair], read, nowMs, spanMs });
  assert.ok(window !== undefined);
  return window;
}
type Aligned = ReturnType<typeof alignPairs>[number];

const threads = (times: readonly number[], intervalMs?: number): RawWindow =>
  raw(times, { process_threads: [times.map((_, index) => index)] }, intervalMs);

test('a host that never reported leaves an empty window', () => {
  const read = (host: string): RawWindow | undefined =>
    host === production ? threads([1_000]) : undefined;
  const [window] = alignPairs({ pairs: [pair], read, nowMs: 2_000, spanMs: 5_000 });
  assert.equal(window?.commonCount, 0);
  assert.equal(window?.newestMs, undefined);
  assert.equal(align(threads([]), threads([1_000]), 2_000).cellCount, 0);
});

test('samples of opposite phase share a cell, though each is late by a little', () => {
  const left = threads([10_000, 11_010, 11_990, 13_005, 14_000]);
  const right = threads([9_700, 10_690, 11_705, 12_700, 13_700]);
  const window = align(left, right, 14_100);
  assert.equal(window.commonCount, 5);
  assert.deepEqual([...(window.production[0] ?? [])], [0, 1, 2, 3, 4]);
  assert.deepEqual([...(window.shadow[0] ?? [])], [0, 1, 2, 3, 4]);
});

test('the window ends at the newest cell of both, or one behind the one that goes on', () => {
  const left = threads([10_000, 11_000, 12_000, 13_000, 14_000]);
  const late = align(left, threads([10_000, 11_000, 12_000, 13_000]), 14_100);
  assert.equal(late.production[0]?.at(-1), 3);
  assert.equal(late.shadow[0]?.at(-1), 3);
  const silent = align(left, threads([10_000, 11_000]), 14_100);
  assert.equal(silent.production[0]?.at(-1), 3);
  assert.ok(Number.isNaN(silent.shadow[0]?.at(-1)));
  assert.ok(silent.newestMs !== undefined && silent.newestMs < 12_000);
});

test('a clock far ahead does not pull the window into the future', () => {
  const window = align(threads([10_000, 11_000, 9e12]), threads([10_000, 11_000]), 11_100);
  assert.equal(window.commonCount, 2);
});

test('instances are added, and a sum is absent while one of them has no rate', () => {
  const left = raw([0, 1_000, 2_000, 3_000, 4_000], {
    network_received_packets_total: [
      [0, 10, 20, 30, 40],
      [NaN, NaN, 100, 105, NaN], // Comes and goes: no rate at first, then nothing to add.
    ],
  });
  const window = align(left, left, 4_100);
  assert.deepEqual(window.names, ['network_received_packets_per_second']);
  assert.deepEqual([...(window.production[0] ?? [])], [NaN, 10, NaN, 15, 10]);
});

test('a ratio needs its capacity', () => {
  const left = raw([0, 1_000, 2_000], {
    memory_used_bytes: [[10, 20, 30]],
    memory_capacity_bytes: [[100, 0, NaN]],
  });
  const window = align(left, left, 2_100, 3_000);
  assert.deepEqual(window.names, ['memory_used_ratio']);
  assert.deepEqual([...(window.production[0] ?? [])], [0.1, NaN, NaN]);
  const without = raw([0, 1_000], { memory_used_bytes: [[10, 20]] });
  assert.deepEqual(align(without, without, 1_100).names, []);
});

test('a host is read once, however many pairs it takes part in', () => {
  let readCount = 0;
  const pairs = Array.from({ length: 5 }, () => pair);
  const read = (): RawWindow => {
    readCount += 1;
    return threads([1_000]);
  };
  assert.equal(alignPairs({ pairs, read, nowMs: 1_100, spanMs: 5_000 }).length, 5);
  assert.equal(readCount, 2);
});

test('a window has a bounded number of cells', () => {
  assert.equal(align(threads([1_000]), threads([1_000]), 1_100, 1e12).cellCount, CELLS_MAX);
});

test('hosts of any phase and little jitter have every cell in common', () => {
  const phase = fc.integer({ min: 0, max: 999 });
  const jitters = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(phase, phase, jitters, jitters, (left, right, leftJitter, rightJitter) => {
      const times = (first: number, jitter: readonly number[]): number[] =>
        jitter.map((late, index) => 100_000 + first + index * 1_000 + late);
      const window = align(
        threads(times(left, leftJitter)),
        threads(times(right, rightJitter)),
        111_500,
        7_000,
      );
      assert.equal(window.commonCount, 7);
    }),
  );
});
