// In: findings before and after. Out: proof that a receiver of the reports ends with what is so.
// Never: needs a disk.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CHANGES_PER_BATCH_MAX } from '@foreshadow/model';
import { nameOf, type Finding } from './fingerprinter.ts';
import { REPORT_BYTES_MAX, applyFindings, changeReports, snapshotReports } from './reports.ts';

const present = (name: string, digest: string): Finding => ({
  kind: 'present',
  item: { subject: 'file', name, digest, facts: {} },
});
const unreadable = (name: string): Finding => ({
  kind: 'unreadable',
  subject: 'file',
  name,
  reason: 'permission',
});
const finding = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('x', 'y', undefined))
  .map(([name, digest]) => (digest === undefined ? unreadable(name) : present(name, digest)));
const findings = fc.uniqueArray(finding, { selector: nameOf });

test('changes applied to what was known give what is so', () => {
  fc.assert(
    fc.property(findings, findings, (before, after) => {
      const known = new Map<string, Finding>();
      applyFindings(known, before, 'file');
      const changes = applyFindings(known, after, 'file');
      const receiver = new Map(before.map((one) => [nameOf(one), one]));
      for (const change of changes)
        if (change.kind === 'removed') receiver.delete(change.name);
        else receiver.set(nameOf(change), change);
      assert.deepEqual(new Map(after.map((one) => [nameOf(one), one])), receiver);
      assert.deepEqual(known, receiver);
      assert.deepEqual(applyFindings(known, after, 'file'), []);
    }),
  );
});

test('an empty snapshot has one part, and no change has no report', () => {
  assert.deepEqual(snapshotReports(3, []), [
    { mode: 'snapshot', snapshotId: 3, partIndex: 0, partCount: 1, changes: [] },
  ]);
  assert.deepEqual(changeReports(3, []), []);
});

test('a snapshot is cut by count', () => {
  const many = Array.from({ length: 2 * CHANGES_PER_BATCH_MAX + 1 }, (_, at) =>
    present(`${at}`, 'x'),
  );
  const parts = snapshotReports(3, many);
  assert.deepEqual(
    parts.map(({ partIndex, partCount, changes }) => [partIndex, partCount, changes.length]),
    [
      [0, 3, CHANGES_PER_BATCH_MAX],
      [1, 3, CHANGES_PER_BATCH_MAX],
      [2, 3, 1],
    ],
  );
});

test('reports with long names are cut by size, and one longer than the bound goes alone', () => {
  const long = 'x'.repeat(4_096);
  const parts = changeReports(
    1,
    Array.from({ length: 40 }, (_, at) => unreadable(`${long}${at}`)),
  );
  assert.equal(parts.length > 3, true);
  for (const { changes } of parts)
    assert.equal(Buffer.byteLength(JSON.stringify(changes)) < REPORT_BYTES_MAX, true);
  assert.equal(changeReports(1, [unreadable('x'.repeat(REPORT_BYTES_MAX))]).length, 1);
});
