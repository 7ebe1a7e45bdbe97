// In: sequences in any order. Out: proof that ranges say exactly which ones were added.
// Never: looks at ingest.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  RANGES_PER_BOOT_MAX,
  addRange,
  highestOf,
  isCovered,
  markOf,
  type Ranges,
} from './coverage.ts';

const added = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 6 }))
    .map(([first, length]) => ({ first, last: first + length })),
  { maxLength: 30 },
);

function rangesOf(all: Ranges): Ranges {
  let ranges: Ranges = [];
  for (const range of all) ranges = addRange(ranges, range);
  return ranges;
}

test('ranges cover what was added and nothing else, whatever the order', () => {
  fc.assert(
    fc.property(added, (all) => {
      const ranges = rangesOf(all);
      for (let sequence = 0; sequence <= 70; sequence += 1) {
        const isExpected = all.some(({ first, last }) => first <= sequence && sequence <= last);
        equal(isCovered(ranges, sequence), isExpected);
      }
      equal(highestOf(ranges), Math.max(0, ...all.map(({ last }) => last)));
    }),
  );
});

test('ranges ascend and neither overlap nor touch', () => {
  fc.assert(
    fc.property(added, (all) => {
      const ranges = rangesOf(all);
      ranges.reduce((before, range) => {
        equal(range.first > before + 1 || before === -1, true);
        equal(range.first <= range.last, true);
        return range.last;
      }, -1);
    }),
  );
});

test('the mark is the last sequence before the first hole', () => {
  equal(markOf([]), 0);
  equal(markOf([{ first: 2, last: 9 }]), 0);
  equal(
    markOf(
      rangesOf([
        { first: 5, last: 9 },
        { first: 1, last: 3 },
      ]),
    ),
    3,
  );
  equal(
    markOf(
      rangesOf([
        { first: 5, last: 9 },
        { first: 1, last: 3 },
        { first: 4, last: 4 },
      ]),
    ),
    9,
  );
});

test('beyond the bound the highest range is forgotten, never a low one', () => {
  const scattered = Array.from({ length: RANGES_PER_BOOT_MAX }, (_, index) => ({
    first: 10 + index * 2,
    last: 10 + index * 2,
  }));
  const full = rangesOf(scattered);
  equal(full.length, RANGES_PER_BOOT_MAX);
  deepEqual(addRange(full, { first: 1e6, last: 1e6 }), full);
  const withLow = addRange(full, { first: 1, last: 1 });
  equal(withLow.length, RANGES_PER_BOOT_MAX);
  deepEqual(withLow[0], { first: 1, last: 1 });
});
