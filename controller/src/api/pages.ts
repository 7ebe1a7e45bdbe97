// A long list in short answers. A cursor is the key of the last item given, so a page stays right
// while the list changes.

import type { Page } from '@foreshadow/model';
import { Refusal } from './problems.ts';

/**
 * @param options.keyOf unique and sortable as text
 * Cost O(n log n).
 */
export function pageOf<Item>(
  items: readonly Item[],
  options: {
    readonly keyOf: (item: Item) => string;
    readonly order: 'ascending' | 'descending';
    readonly query: { readonly limit: number; readonly cursor?: string };
  },
): Page<Item> {
  const sign = options.order === 'ascending' ? 1 : -1;
  const after = options.query.cursor === undefined ? undefined : keyIn(options.query.cursor);
  const keyed = items.map((item) => ({ item, key: options.keyOf(item) }));
  const rest = keyed
    .filter(({ key }) => after === undefined || sign * compareText(key, after) > 0)
    .toSorted((left, right) => sign * compareText(left.key, right.key));
  const page = rest.slice(0, options.query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    ...(last !== undefined && page.length < rest.length && { nextCursor: cursorOf(last.key) }),
  };
}

/** A key that sorts by time first. */
export function timeKey(timeMs: number, id: string): string {
  return `${String(Math.max(0, Math.trunc(timeMs))).padStart(16, '0')}:${id}`;
}

function cursorOf(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function keyIn(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString();
  if (cursorOf(key) === cursor) return key;
  throw new Refusal({
    status: 400,
    code: 'CURSOR_INVALID',
    detail: 'the cursor is not one that this API gave; begin again without it',
  });
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
