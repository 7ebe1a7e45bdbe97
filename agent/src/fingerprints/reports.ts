// In: findings, and what was known before. Out: changes, cut into reports that fit a batch.
// Never: tells what the receiver already knows, except in a snapshot.

import { CHANGES_PER_BATCH_MAX } from '@foreshadow/model';
import type { FingerprintChange, FingerprintReport, FingerprintSubject } from '@foreshadow/model';
import { isSameFinding, nameOf, type Finding } from './fingerprinter.ts';

/** Half of what a batch may hold, by a rough count; readings need the rest. */
export const REPORT_BYTES_MAX = 128 * 1024;

/** Brings `known` up to `findings`, by name. @returns what changed. Cost linear in both. */
export function applyFindings(
  known: Map<string, Finding>,
  findings: readonly Finding[],
  subject: FingerprintSubject,
): readonly FingerprintChange[] {
  const changes: FingerprintChange[] = [];
  const names = new Set<string>();
  for (const finding of findings) {
    const name = nameOf(finding);
    names.add(name);
    const before = known.get(name);
    if (before !== undefined && isSameFinding(before, finding)) continue;
    known.set(name, finding);
    changes.push(finding);
  }
  for (const name of known.keys()) {
    if (names.has(name)) continue;
    known.delete(name);
    changes.push({ kind: 'removed', subject, name });
  }
  return changes;
}

/** The whole, in parts that share an id. There is at least one part. */
export function snapshotReports(
  snapshotId: number,
  findings: Iterable<Finding>,
): readonly FingerprintReport[] {
  const parts = partsOf(findings);
  if (parts.length === 0) parts.push([]);
  return parts.map((changes, partIndex) => ({
    mode: 'snapshot',
    snapshotId,
    partIndex,
    partCount: parts.length,
    changes,
  }));
}

/** Each stands alone. @param snapshotId of the snapshot that they add to */
export function changeReports(
  snapshotId: number,
  changes: readonly FingerprintChange[],
): readonly FingerprintReport[] {
  return partsOf(changes).map((part) => ({
    mode: 'changes',
    snapshotId,
    partIndex: 0,
    partCount: 1,
    changes: part,
  }));
}

function partsOf(changes: Iterable<FingerprintChange>): FingerprintChange[][] {
  const parts: FingerprintChange[][] = [];
  let part: FingerprintChange[] = [];
  let partBytes = 0;
  for (const change of changes) {
    const changeBytes = sizeOf(change);
    const isFull =
      part.length >= CHANGES_PER_BATCH_MAX || partBytes + changeBytes > REPORT_BYTES_MAX;
    if (isFull && part.length > 0) {
      parts.push(part);
      part = [];
      partBytes = 0;
    }
    part.push(change);
    partBytes += changeBytes;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/** Bytes on the wire, at most. */
function sizeOf(change: FingerprintChange): number {
  if (change.kind !== 'present') return FIXED_BYTES + change.name.length * UTF8_BYTES_MAX;
  let length = change.item.name.length;
  let count = 0;
  for (const [fact, value] of Object.entries(change.item.facts)) {
    length += fact.length + value.length;
    count += 1;
  }
  return FIXED_BYTES + length * UTF8_BYTES_MAX + count * FACT_BYTES;
}

const FIXED_BYTES = 96; // Digest, subject, time and the tags of protobuf.
const FACT_BYTES = 8; // Tags and lengths of one entry of a map.
const UTF8_BYTES_MAX = 3; // Of one UTF-16 unit.
