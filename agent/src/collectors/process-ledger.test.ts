// Facts about the ledger: the tree's totals never go back and count nothing twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, integer, property, record } from 'fast-check';
import { createProcessLedger, type ProcessTotals } from './process-ledger.ts';

const of = (pid: number, parent: number, total: number, startTime = pid): ProcessTotals => ({
  pid,
  parent,
  startTime,
  totals: Float64Array.of(total),
});

/** The sum after each step. */
function sumsOf(...steps: ProcessTotals[][]): (number | undefined)[] {
  const ledger = createProcessLedger(1);
  return steps.map((present) => ledger.advance(present)[0]);
}

test('the first totals count whole', () => {
  assert.deepEqual(sumsOf([of(1, 0, 10), of(2, 1, 5)]), [15]);
});

test('a child that ends unseen by its parent takes nothing away', () => {
  assert.deepEqual(sumsOf([of(1, 0, 10), of(2, 1, 5)], [of(1, 0, 10)]), [15, 15]);
});

test('a child that its parent waited for is not counted again, but its last part is', () => {
  assert.deepEqual(sumsOf([of(1, 0, 10), of(2, 1, 5)], [of(1, 0, 18)]), [15, 18]);
});

test('a child too short to be seen counts through its parent', () => {
  assert.deepEqual(sumsOf([of(1, 0, 10)], [of(1, 0, 17)]), [10, 17]);
});

test('a grandchild that ended with its parent is not counted again', () => {
  const before = [of(1, 0, 10), of(2, 1, 5), of(3, 2, 4)];
  assert.deepEqual(sumsOf(before, [of(1, 0, 20)]), [19, 20]);
});

test('a pid that is used again is another process', () => {
  assert.deepEqual(
    sumsOf([of(1, 0, 10), of(2, 1, 5, 100)], [of(1, 0, 10), of(2, 1, 3, 200)]),
    [15, 18],
  );
});

test('a new root adds to the totals of the old one', () => {
  assert.deepEqual(sumsOf([of(1, 0, 10)], [of(9, 0, 2)], [of(9, 0, 3)]), [10, 12, 13]);
});

test('a total that goes back counts as no increase', () => {
  assert.deepEqual(sumsOf([of(1, 0, 10)], [of(1, 0, 9)], [of(1, 0, 11)]), [10, 10, 12]);
});

test('a total that could not be read for a while counts its whole increase after it', () => {
  assert.deepEqual(sumsOf([of(1, 0, 10)], [of(1, 0, Number.NaN)], [of(1, 0, 13)]), [10, 10, 13]);
});

test('a total that could never be read becomes a new start', () => {
  assert.deepEqual(sumsOf([of(1, 0, Number.NaN)], [of(1, 0, 10)], [of(1, 0, 12)]), [0, 0, 2]);
});

test('parents in a circle end the search for an heir', () => {
  assert.deepEqual(sumsOf([of(1, 2, 1), of(2, 1, 1)], [of(3, 0, 1)]), [2, 3]);
});

test('whatever comes and goes, the totals never go back', () => {
  const process = record({
    pid: integer({ min: 1, max: 5 }),
    parent: integer({ min: 0, max: 5 }),
    startTime: integer({ min: 1, max: 2 }),
    total: integer({ min: 0, max: 100 }),
  });
  check(
    property(array(array(process, { maxLength: 5 }), { maxLength: 8 }), (steps) => {
      const sums = sumsOf(
        ...steps.map((step) => step.map((p) => of(p.pid, p.parent, p.total, p.startTime))),
      );
      sums.reduce((before = 0, sum = Number.NaN) => {
        assert.ok(sum >= before);
        return sum;
      }, 0);
    }),
  );
});
