// Proves how numbers read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimal, duration, percent, quantity } from './human.ts';

test('durations show their two largest units', () => {
  const f = (ms: number, text: string): void => assert.equal(duration(ms), text);
  f(0, '0 ms');
  f(999, '999 ms');
  f(1_000, '1 s');
  f(59_999, '59 s');
  f(185_000, '3 min 5 s');
  f(7_200_000, '2 h');
  f(7_800_000, '2 h 10 min');
  f(86_400_000 * 4 + 1_000, '4 d');
});

test('absent numbers are a dash and never zero', () => {
  assert.deepEqual(
    [percent(undefined), decimal(undefined), quantity('cpu_used_ratio', undefined)],
    ['-', '-', '-'],
  );
});

test('values carry the unit of their observable', () => {
  assert.equal(quantity('cpu_used_ratio', 0.4217), '42.2 %');
  assert.equal(quantity('network_sent_bytes_per_second', 1_536), '1.5 KiB/s');
  assert.equal(quantity('network_sent_bytes_per_second', 12), '12 B/s');
  assert.equal(quantity('load_average_1m', 0.256), '0.26');
  assert.equal(quantity('context_switches_per_second', 1_234.5), '1235/s');
  assert.equal(percent(0.05, { sign: true }), '+5.0 %');
  assert.equal(percent(-0.05, { sign: true }), '-5.0 %');
});
