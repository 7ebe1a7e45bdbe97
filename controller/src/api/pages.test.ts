// Proves that pages are complete and that a list which changes between them repeats nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { pageOf, timeKey } from './pages.ts';

const keyOf = (key: string): string => key;

test('pages put together are the sorted list', () => {
  const keys = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 6 }), { maxLength: 30 });
  const orders = fc.constantFrom('ascending', 'descending');
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 7 }), orders, (items, limit, order) => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const query = cursor === undefined ? { limit } : { limit, cursor };
        const page = pageOf(items, { keyOf, order, query });
        seen.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      const sorted = items.toSorted((left, right) => (left < right ? -1 : 1));
      assert.deepEqual(seen, order === 'ascending' ? sorted : sorted.toReversed());
    }),
  );
});

test('an item removed between pages is not a reason to lose the next', () => {
  const order = 'ascending';
  const first = pageOf(['a', 'b', 'c'], { keyOf, order, query: { limit: 2 } });
  const cursor = first.nextCursor ?? '';
  assert.deepEqual(pageOf(['a', 'c'], { keyOf, order, query: { limit: 2, cursor } }).items, ['c']);
});

test('a cursor that was changed by hand is refused', () => {
  const query = { limit: 2, cursor: '!' };
  assert.throws(() => pageOf(['a'], { keyOf, order: 'ascending', query }), {
    code: 'CURSOR_INVALID',
  });
});

test('time keys sort as their times do', () => {
  assert.ok(timeKey(9, 'z') < timeKey(10, 'a'));
  assert.ok(timeKey(1_700_000_000_000, 'a') < timeKey(1_700_000_000_000, 'b'));
});
