// In: fingerprint reports, out of order and incomplete. Out: proof that the items follow the host
// and nothing else.
// Never: opens level.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareInventories, createExpectedRules } from '@foreshadow/configuration';
import {
  pairIdOf,
  parseBootId,
  parseHostId,
  type BootId,
  type FingerprintChange,
  type FingerprintReport,
} from '@foreshadow/model';
import { HostItems, ITEMS_PER_HOST_MAX, ITEM_KEY_LENGTH_MAX, type ItemsUpdate } from './items.ts';

const host = parseHostId('web-1') ?? fail();
const first = bootOf(1);
const NOW_MS = 5_000;

function fail(): never {
  throw new TypeError('not an identifier');
}
function bootOf(number: number): BootId {
  return parseBootId(number.toString(16).padStart(16, '0')) ?? fail();
}
function present(name: string, digest: string): FingerprintChange {
  return { kind: 'present', item: { subject: 'file', name, digest, facts: { mode: '0644' } } };
}
function removed(name: string): FingerprintChange {
  return { kind: 'removed', subject: 'file', name };
}
function unreadable(name: string): FingerprintChange {
  return { kind: 'unreadable', subject: 'file', name, reason: 'permission' };
}

interface When {
  readonly sequence: number;
  readonly boot?: BootId;
  readonly nowMs?: number;
}
function report(items: HostItems, when: When, fingerprints: FingerprintReport): ItemsUpdate {
  const { sequence, boot = first, nowMs = NOW_MS } = when;
  return items.apply({ boot, sequence, fingerprints }, nowMs);
}
function changes(items: HostItems, when: When, ...all: FingerprintChange[]): ItemsUpdate {
  const single = { mode: 'changes', snapshotId: 0, partIndex: 0, partCount: 1 } as const;
  return report(items, when, { ...single, changes: all });
}
function part(
  items: HostItems,
  when: When,
  place: { readonly id: number; readonly index: number; readonly count: number },
  ...all: FingerprintChange[]
): ItemsUpdate {
  const { id: snapshotId, index: partIndex, count: partCount } = place;
  return report(items, when, { mode: 'snapshot', snapshotId, partIndex, partCount, changes: all });
}
function hasSnapshot(items: HostItems): boolean {
  return items.head.snapshot !== undefined;
}
function digests(items: HostItems): Record<string, string> {
  return Object.fromEntries(
    Array.from(items.items, ([key, { item, unreadable: reason }]) => [
      key.slice('file:'.length),
      item?.digest ?? reason ?? 'removed',
    ]),
  );
}

test('an item keeps when it was first seen, when it changed, and its digest before', () => {
  const items = new HostItems(host);
  changes(items, { sequence: 1, nowMs: 10 }, present('/a', 'd1'));
  const seen = items.items.get('file:/a');
  deepEqual([seen?.firstSeenMs, seen?.changedMs, seen?.previousDigest], [10, 10, undefined]);
  const same = changes(items, { sequence: 2, nowMs: 20 }, present('/a', 'd1'));
  deepEqual(same.changes, []);
  equal(items.items.get('file:/a')?.changedMs, 10);
  const update = changes(items, { sequence: 3, nowMs: 30 }, present('/a', 'd2'));
  const after = items.items.get('file:/a');
  deepEqual([after?.firstSeenMs, after?.changedMs, after?.previousDigest], [10, 30, 'd1']);
  equal(update.changes[0]?.before?.item?.digest, 'd1');
  equal(update.changes[0]?.after.item?.digest, 'd2');
  equal(items.head.version, 2);
});

test('removal, unreadability and return are changes; the digest before is kept while there was one', () => {
  const items = new HostItems(host);
  changes(items, { sequence: 1 }, present('/a', 'd1'));
  changes(items, { sequence: 2, nowMs: 20 }, unreadable('/a'));
  const blind = items.items.get('file:/a');
  deepEqual(
    [blind?.item, blind?.unreadable, blind?.previousDigest],
    [undefined, 'permission', 'd1'],
  );
  changes(items, { sequence: 3 }, removed('/a'));
  equal(digests(items)['/a'], 'removed');
  equal(items.items.get('file:/a')?.previousDigest, undefined);
  equal(changes(items, { sequence: 4 }, removed('/a')).changes.length, 0);
  equal(changes(items, { sequence: 5 }, present('/a', 'd1')).changes.length, 1);
  equal(changes(items, { sequence: 6 }, removed('/never-seen')).changes.length, 0);
  equal(items.items.get('file:/never-seen')?.item, undefined);
});

test('an older report never undoes a newer one, within a boot and between boots', () => {
  const items = new HostItems(host);
  changes(items, { sequence: 5 }, present('/a', 'new'));
  changes(items, { sequence: 4 }, present('/a', 'old'));
  equal(digests(items)['/a'], 'new');
  items.greet(bootOf(2));
  changes(items, { sequence: 1, boot: bootOf(2) }, present('/a', 'newest'));
  changes(items, { sequence: 6 }, present('/a', 'backlog'), present('/b', 'b'));
  changes(items, { sequence: 1, boot: bootOf(3) }, present('/a', 'never heard of before'));
  deepEqual(digests(items), { '/a': 'newest', '/b': 'b' });
});

test('an agent that was started anew owes a snapshot, which counts whatever the clock says', () => {
  const items = new HostItems(host);
  const whole = { id: 1, index: 0, count: 1 };
  items.greet(first);
  part(items, { sequence: 7 }, whole, present('/a', 'before'));
  items.greet(first);
  equal(hasSnapshot(items), true, 'a new stream of the same run owes nothing');
  items.greet(bootOf(2));
  equal(hasSnapshot(items), false);
  part(items, { sequence: 8 }, { ...whole, id: 2 }, present('/a', 'backlog'));
  equal(hasSnapshot(items), false);
  const second = { sequence: 1, boot: bootOf(2) };
  equal(part(items, second, whole, present('/a', 'while away')).changes.length, 1);
  part(items, { sequence: 9 }, { ...whole, id: 3 }, present('/a', 'backlog'));
  deepEqual(digests(items), { '/a': 'while away' });
  deepEqual(items.head.snapshot, { boot: bootOf(2), sequence: 1 });
});

test('a snapshot counts when its last part is there, in whatever order, and removes what it lacks', () => {
  const items = new HostItems(host);
  changes(items, { sequence: 1 }, present('/gone', 'g'), present('/a', 'old'));
  const place = { id: 1, count: 3 };
  part(items, { sequence: 12 }, { ...place, index: 2 }, present('/c', 'c'));
  part(items, { sequence: 10 }, { ...place, index: 0 }, present('/a', 'a'));
  equal(hasSnapshot(items), false);
  deepEqual(digests(items), { '/gone': 'g', '/a': 'old' });
  const whole = part(items, { sequence: 11 }, { ...place, index: 1 }, unreadable('/b'));
  equal(hasSnapshot(items), true);
  deepEqual(digests(items), { '/gone': 'removed', '/a': 'a', '/b': 'permission', '/c': 'c' });
  equal(whole.changes.length, 4);
});

test('what the host said while the snapshot was under way wins over the snapshot', () => {
  const items = new HostItems(host);
  const place = { id: 1, count: 2 };
  part(items, { sequence: 10 }, { ...place, index: 0 }, present('/a', 'before'));
  changes(items, { sequence: 11 }, present('/a', 'after'), present('/new', 'n'));
  changes(items, { sequence: 9 }, present('/old', 'o'));
  part(items, { sequence: 12 }, { ...place, index: 1 }, present('/b', 'b'));
  changes(items, { sequence: 8 }, present('/late', 'l'));
  deepEqual(digests(items), { '/a': 'after', '/new': 'n', '/old': 'removed', '/b': 'b' });
});

test('a snapshot with a lost part changes nothing, and a newer one takes its place', () => {
  const items = new HostItems(host);
  part(items, { sequence: 1 }, { id: 1, index: 0, count: 2 }, present('/a', '1'));
  part(items, { sequence: 3 }, { id: 2, index: 0, count: 2 }, present('/a', '2'));
  part(items, { sequence: 2 }, { id: 1, index: 1, count: 2 }, present('/b', '1'));
  equal(hasSnapshot(items), false);
  equal(items.items.size, 0);
  part(items, { sequence: 4 }, { id: 2, index: 1, count: 2 }, present('/b', '2'));
  deepEqual(digests(items), { '/a': '2', '/b': '2' });
});

test('a repeated part is counted once', () => {
  const items = new HostItems(host);
  part(items, { sequence: 1 }, { id: 1, index: 0, count: 2 }, present('/a', '1'));
  part(items, { sequence: 1 }, { id: 1, index: 0, count: 2 }, present('/a', '1'));
  equal(hasSnapshot(items), false);
});

test('parts recollected after a restart complete with those that still come', () => {
  const items = new HostItems(host);
  const single = { mode: 'snapshot', snapshotId: 1, partIndex: 0, partCount: 2 } as const;
  const fingerprints = { ...single, changes: [present('/a', '1')] };
  items.recollect({ boot: first, sequence: 1, fingerprints });
  equal(items.items.size, 0);
  part(items, { sequence: 2 }, { id: 1, index: 1, count: 2 }, present('/b', '1'));
  deepEqual(digests(items), { '/a': '1', '/b': '1' });
});

test('a restored record keeps its place in time', () => {
  const items = new HostItems(host);
  const before = new HostItems(host);
  changes(before, { sequence: 5 }, present('/a', 'new'));
  const record = before.record('file:/a');
  ok(record !== undefined);
  items.restore('file:/a', record);
  changes(items, { sequence: 4 }, present('/a', 'old'));
  equal(digests(items)['/a'], 'new');
});

test('items beyond the bound are refused and counted; the longest removed gives way', () => {
  const items = new HostItems(host);
  const all = Array.from({ length: ITEMS_PER_HOST_MAX }, (_, index) => present(`/${index}`, 'd'));
  changes(items, { sequence: 1 }, ...all);
  changes(items, { sequence: 2 }, present('/more', 'd'), present('/0', 'e'));
  equal(items.refusedCount, 1);
  equal(digests(items)['/0'], 'e');
  changes(items, { sequence: 3, nowMs: 6_000 }, removed('/7'));
  changes(items, { sequence: 4, nowMs: 7_000 }, removed('/8'));
  const update = changes(items, { sequence: 5 }, present('/more', 'd'));
  equal(items.items.size, ITEMS_PER_HOST_MAX + 1, 'and the one that says so');
  equal(items.items.has('file:/7'), false);
  deepEqual([...update.touched], ['file:/7', 'file:/more']);
  equal(items.record('file:/7'), undefined);
  changes(items, { sequence: 6 }, present('/'.padEnd(ITEM_KEY_LENGTH_MAX, 'x'), 'd'));
  equal(items.refusedCount, 2);
});

test('a subject of which an item found no place is unreadable, until a snapshot fits', () => {
  const items = new HostItems(host);
  const all = Array.from({ length: ITEMS_PER_HOST_MAX }, (_, index) => present(`/${index}`, 'd'));
  const whole = { id: 1, index: 0, count: 1 };
  const crowded = (): string | undefined => items.items.get('file:*')?.unreadable;
  part(items, { sequence: 1 }, whole, ...all);
  equal(crowded(), undefined);
  changes(items, { sequence: 2 }, present('/more', 'd'));
  equal(crowded(), 'too-large');
  const { changes: again } = part(
    items,
    { sequence: 3 },
    { ...whole, id: 2 },
    ...all,
    present('/more', 'd'),
  );
  equal(crowded(), 'too-large');
  deepEqual(again, []);
  part(items, { sequence: 4 }, { ...whole, id: 3 }, ...all);
  equal(crowded(), undefined);
  equal(items.items.get('file:*')?.item, undefined);
});

test('what one host had no place for is unreadable there, and no drift', () => {
  const other = new HostItems(host);
  const items = new HostItems(host);
  const all = Array.from({ length: ITEMS_PER_HOST_MAX }, (_, index) => present(`/${index}`, 'd'));
  changes(items, { sequence: 1 }, ...all, present('/more', 'd'));
  changes(other, { sequence: 1 }, ...all.slice(1), present('/more', 'd'));
  const comparison = compareInventories({
    pair: pairIdOf(host, host),
    production: items.items,
    shadow: other.items,
    expected: createExpectedRules([]),
    nowMs: NOW_MS,
  });
  deepEqual(
    comparison.drifts.map(({ item }) => item),
    ['file:/0'],
  );
  deepEqual(
    comparison.unreadable.map(({ item }) => item),
    ['file:*', 'file:/more'],
  );
});

test('reports of one boot give the same items in whatever order they come', () => {
  const names = ['/a', '/b', '/c'] as const;
  const change = fc.oneof(
    fc
      .tuple(fc.constantFrom(...names), fc.constantFrom('1', '2'))
      .map(([name, digest]) => present(name, digest)),
    fc.constantFrom(...names).map(removed),
    fc.constantFrom(...names).map(unreadable),
  );
  const stream = fc.array(change, { minLength: 1, maxLength: 12 }).chain((all) => {
    const numbered = all.map((one, index) => ({ one, sequence: index + 1 }));
    return fc.tuple(
      fc.constant(numbered),
      fc.shuffledSubarray(numbered, { minLength: numbered.length }),
    );
  });
  fc.assert(
    fc.property(stream, ([inOrder, shuffled]) => {
      const states = [inOrder, shuffled].map((all) => {
        const items = new HostItems(host);
        for (const { one, sequence } of all) changes(items, { sequence }, one);
        return Object.fromEntries(
          Object.entries(digests(items)).filter(([, digest]) => digest !== 'removed'),
        );
      });
      deepEqual(states[1], states[0]);
    }),
  );
});
