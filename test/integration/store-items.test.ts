// What a store knows of a host's items, in whatever order they come and over restarts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ItemChange, Store } from '@foreshadow/controller/store/index.ts';
import type { FingerprintChange, FingerprintReport } from '@foreshadow/model';
import {
  accept,
  boot,
  bootOf,
  host,
  makeFolder,
  open,
  present,
} from '../support/temporary-store.ts';

function report(
  place: { readonly id: number; readonly index: number; readonly count: number } | undefined,
  ...changes: readonly FingerprintChange[]
): FingerprintReport {
  if (place === undefined)
    return { mode: 'changes', snapshotId: 0, partIndex: 0, partCount: 1, changes };
  const { id: snapshotId, index: partIndex, count: partCount } = place;
  return { mode: 'snapshot', snapshotId, partIndex, partCount, changes };
}

test('parts of a snapshot out of order, around a restart, make it whole all the same', async () => {
  await using folder = await makeFolder();
  const tell = (
    store: Store,
    sequence: number,
    fingerprints: FingerprintReport,
  ): Promise<readonly ItemChange[]> => store.append([accept(sequence, { fingerprints })], []);
  {
    await using store = await open(folder.path);
    await tell(store, 1, report(undefined, present('/gone', 1)));
    await tell(store, 4, report({ id: 1, index: 2, count: 3 }, present('/c', 1)));
    await tell(store, 3, report(undefined, present('/a', 2)));
    await tell(store, 2, report({ id: 1, index: 0, count: 3 }, present('/a', 1)));
    assert.equal(store.hasSnapshot(host), false);
    assert.equal(store.fingerprintVersion(host), 2);
  }
  {
    await using store = await open(folder.path);
    assert.deepEqual([...store.items(host).keys()].toSorted(), ['file:/a', 'file:/gone']);
    const changes = await tell(store, 5, report({ id: 1, index: 1, count: 3 }, present('/b', 1)));
    assert.deepEqual(changes.map(({ key }) => key).toSorted(), [
      'file:/b',
      'file:/c',
      'file:/gone',
    ]);
  }
  await using store = await open(folder.path);
  assert.equal(store.hasSnapshot(host), true);
  assert.equal(store.fingerprintVersion(host), 3);
  assert.equal(store.items(host).get('file:/gone')?.item, undefined);
  assert.equal(store.items(host).get('file:/a')?.item?.digest.endsWith('2'), true);
});

test('which run of the agent is the present one survives a restart, and it owes a snapshot', async () => {
  await using folder = await makeFolder();
  const second = bootOf(2);
  const whole = report({ id: 1, index: 0, count: 1 }, present('/a', 1));
  {
    await using store = await open(folder.path);
    await store.greet(host, boot);
    await store.append([accept(1, { fingerprints: whole })], []);
    assert.equal(store.hasSnapshot(host), true);
    await store.greet(host, second);
    assert.equal(store.hasSnapshot(host), false);
  }
  await using store = await open(folder.path);
  assert.equal(store.hasSnapshot(host), false);
  await store.append([accept(2, { fingerprints: whole })], []);
  assert.equal(store.hasSnapshot(host), false, 'of the run before');
  const later = report({ id: 1, index: 0, count: 1 }, present('/a', 2));
  const past = { boot: second, wallMs: 1, fingerprints: later };
  assert.equal((await store.append([accept(1, past)], [])).length, 1, 'whatever its clock says');
  assert.equal(store.hasSnapshot(host), true);
});
