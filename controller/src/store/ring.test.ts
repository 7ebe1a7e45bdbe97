// In: batches in any order. Out: proof that windows hold the newest points, sorted, and nothing
// else.
// Never: opens level.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBootId, parseHostId, type Batch, type Reading } from '@foreshadow/model';
import { HostRing, SERIES_PER_HOST_MAX } from './ring.ts';

const host = parseHostId('web-1') ?? fail();
const boot = parseBootId('0000000000000001') ?? fail();
const always = { startMs: -Infinity, endMs: Infinity };

function fail(): never {
  throw new TypeError('not an identifier');
}
function batchAt(wallMs: number, readings: readonly Reading[], intervalMs = 1_000): Batch {
  const empty = { events: [], units: [], gaps: [] };
  return { host, boot, sequence: 1, wallMs, monotonicMs: 0, intervalMs, readings, ...empty };
}
function tasks(value: number): Reading {
  return { metric: 'tasks', value };
}
function received(value: number, instance: string): Reading {
  return { metric: 'network_received_bytes_total', instance, value };
}

test('an empty ring and a span without points give no window', () => {
  const ring = new HostRing({ host, points: 3 });
  equal(ring.window(always), undefined);
  ring.put(batchAt(10, [tasks(1)]));
  equal(ring.window({ startMs: 11, endMs: 20 }), undefined);
  equal(ring.window({ startMs: 0, endMs: 9 }), undefined);
  equal(ring.window({ startMs: 20, endMs: 0 }), undefined);
});

test('a window is the points between its ends, both included', () => {
  const ring = new HostRing({ host, points: 10 });
  for (let at = 1; at <= 6; at += 1) ring.put(batchAt(at, [tasks(at)]));
  const window = ring.window({ startMs: 2, endMs: 4 });
  deepEqual([...(window?.times ?? [])], [2, 3, 4]);
  deepEqual([...(window?.series.get('tasks')?.[0]?.values ?? [])], [2, 3, 4]);
  deepEqual([...(ring.window({ startMs: 2.5, endMs: 4.5 })?.times ?? [])], [3, 4]);
});

test('what was not reported is NaN, before and after', () => {
  const ring = new HostRing({ host, points: 10 });
  ring.put(batchAt(1, [tasks(1)]));
  ring.put(batchAt(2, [received(5, 'eth0')]));
  ring.put(batchAt(3, [tasks(3), received(6, 'eth0'), received(7, 'lo')]));
  const window = ring.window(always);
  deepEqual([...(window?.series.get('tasks')?.[0]?.values ?? [])], [1, Number.NaN, 3]);
  const [ethernet, loopback] = window?.series.get('network_received_bytes_total') ?? [];
  equal(ethernet?.instance, 'eth0');
  deepEqual([...(ethernet?.values ?? [])], [Number.NaN, 5, 6]);
  deepEqual([...(loopback?.values ?? [])], [Number.NaN, Number.NaN, 7]);
});

test('of two batches of one time the last wins whole', () => {
  const ring = new HostRing({ host, points: 10 });
  ring.put(batchAt(1, [tasks(1), received(1, 'eth0')]));
  ring.put(batchAt(1, [tasks(2)]));
  const window = ring.window(always);
  deepEqual([...(window?.series.get('tasks')?.[0]?.values ?? [])], [2]);
  deepEqual([...(window?.series.get('network_received_bytes_total')?.[0]?.values ?? [])], [NaN]);
});

test('the interval is that of the newest batch, and a batch without readings is no point', () => {
  const ring = new HostRing({ host, points: 10 });
  ring.put(batchAt(5, [tasks(1)], 1_000));
  ring.put(batchAt(4, [tasks(1)], 10_000));
  equal(ring.window(always)?.intervalMs, 1_000);
  ring.put(batchAt(6, [], 2_000));
  equal(ring.window(always)?.intervalMs, 1_000);
  equal(ring.pointCount, 2);
});

test('whatever the order, the ring holds the newest points, sorted, last of a time wins', () => {
  const batches = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.double({ noNaN: true })), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 90 }), (all, points) => {
      const ring = new HostRing({ host, points });
      const expected = new Map<number, number>();
      for (const [at, value] of all) {
        ring.put(batchAt(at, [tasks(value)]));
        const oldest = Math.min(...expected.keys());
        if (expected.has(at) || expected.size < points || at > oldest) expected.set(at, value);
        if (expected.size > points) expected.delete(oldest);
      }
      const window = ring.window(always);
      const sorted = [...expected].toSorted(([left], [right]) => left - right);
      deepEqual(
        [...(window?.times ?? [])],
        sorted.map(([at]) => at),
      );
      deepEqual(
        [...(window?.series.get('tasks')?.[0]?.values ?? [])],
        sorted.map(([, value]) => value),
      );
    }),
  );
});

test('series beyond the bound are refused and counted; series that ended make room', () => {
  const ring = new HostRing({ host, points: 4 });
  const many = Array.from({ length: SERIES_PER_HOST_MAX + 5 }, (_, index) =>
    received(index, `veth${index}`),
  );
  ring.put(batchAt(0, many));
  equal(ring.seriesCount, SERIES_PER_HOST_MAX);
  equal(ring.refusedCount, 5);
  for (let at = 1; at < 100; at += 1) ring.put(batchAt(at, [received(at, 'veth0')]));
  ring.put(batchAt(100, [received(1, 'new')]));
  deepEqual(
    [...(ring.window({ startMs: 100, endMs: 100 })?.series.values() ?? [])][0]?.map((series) => [
      series.instance,
      series.values[0],
    ]),
    [
      ['veth0', Number.NaN],
      ['new', 1],
    ],
  );
});
