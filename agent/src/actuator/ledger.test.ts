import { mkdtempSync, openSync, closeSync, readdirSync, rmSync, statSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { CommandId } from '@foreshadow/model';
import { sync } from './durable.ts';
import {
  LEDGER_BYTES_MAX,
  OUTCOMES_KEPT_MAX,
  keptEntries,
  openLedger,
  type LedgerEntry,
} from './ledger.ts';

function entry(index: number, change: Partial<LedgerEntry>): LedgerEntry {
  const command = `cmd-${String(index).padStart(12, '0')}` as CommandId; // Well-formed.
  const order = { kind: 'mark-known-good' } as const;
  return { command, state: 'RECEIVED', receivedMs: 1, order, isDryRun: false, ...change };
}

const done = { kind: 'done', tookMs: 1, sentence: 'done', details: {} } as const;
const refused = { kind: 'refused', code: 'C', sentence: 'x'.repeat(1_000) } as const;

test('refusals never push out outcomes with an effect, and what is open stays', () => {
  const entries = [
    entry(0, {}),
    entry(1, { state: 'APPLIED', outcome: done }),
    ...Array.from({ length: 3 * OUTCOMES_KEPT_MAX }, (_, index) =>
      entry(index + 2, { state: 'REFUSED', outcome: refused }),
    ),
  ];
  const kept = keptEntries(entries);
  assert.deepEqual(kept.slice(0, 2), entries.slice(0, 2));
  assert.deepEqual(kept.slice(2), entries.slice(-OUTCOMES_KEPT_MAX));
});

test('a ledger that is too large is shortened, and the last outcomes survive', () => {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-ledger-'));
  const path = join(folder, 'ledger.jsonl');
  try {
    const lines = [
      JSON.stringify({ sequence: 1, ...entry(1, { state: 'APPLIED', outcome: done }) }),
    ];
    for (let size = 0, index = 2; size <= LEDGER_BYTES_MAX; index += 1) {
      const refusal = entry(index, { state: 'REFUSED', outcome: refused });
      lines.push(JSON.stringify({ sequence: index, ...refusal }));
      size += 1_100;
    }
    writeFileSync(path, `${lines.join('\n')}\n`);
    const sizeBytes = statSync(path).size;
    const last = entry(lines.length, {}).command;
    {
      using ledger = openLedger({ folder, nowMs: () => 5 });
      ledger.record(entry(900_000, {}));
      assert(statSync(path).size < sizeBytes / 4);
      ledger.record(entry(900_000, { state: 'APPLIED', outcome: done }));
    }
    using again = openLedger({ folder, nowMs: () => 5 });
    assert.deepEqual(again.find(entry(1, {}).command)?.outcome, done);
    assert.deepEqual(again.find(last)?.outcome, refused);
    assert.deepEqual(again.find(entry(900_000, {}).command)?.outcome, done);
    assert.equal(again.find(entry(2, {}).command), undefined);
    assert.deepEqual(readdirSync(folder), ['ledger.jsonl', 'ledger.previous.jsonl']);
    assert.equal(statSync(join(folder, 'ledger.previous.jsonl')).size, sizeBytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a disk that does not confirm is the end', () => {
  const descriptor = openSync('/dev/null', 'w'); // fsync of a device gives EINVAL.
  try {
    assert.throws(() => sync(descriptor), { name: 'FatalError', code: 'SYNC_FAILED' });
  } finally {
    closeSync(descriptor);
  }
});
