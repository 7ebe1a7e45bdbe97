// In: the folders that a stage has left.
// Out: proof that each batch was kept once, and no incident record is missing.
// Never: believes a gap record: what an agent calls lost must be in the journal all the same.

import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSegment, type SpoolRecord } from '@foreshadow/agent/spool/segment.ts';
import { openStore, type Store } from '@foreshadow/controller/store/index.ts';
import type {
  BootCoverage,
  BootId,
  CloudEvent,
  HostId,
  Incident,
  IncidentRecord,
} from '@foreshadow/model';
import { createLogger, systemClock } from '@foreshadow/runtime';
import { decodeBatch } from '@foreshadow/wire';

const RETENTION_HOURS = 24;
const BATCHES_MAX = 1_000_000;

/** Last sequence of each run of an agent that was seen in its spool. */
export type LastKept = Map<BootId, number>;

/** All that an agent's spool holds now; a file that goes away meanwhile is left out. */
export function readSpool(folder: string): readonly SpoolRecord[] {
  return spoolFiles(folder).flatMap((path) =>
    existsSync(path) ? decodeSegment(readFileSync(path)).records : [],
  );
}

export function spoolFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.spool'))
    .map((name) => join(folder, name));
}

export function noteLastKept(lastKept: LastKept, records: readonly SpoolRecord[]): void {
  for (const { boot, sequence } of records)
    lastKept.set(boot, Math.max(lastKept.get(boot) ?? 0, sequence));
}

export interface KeptFacts {
  readonly batches: number;
  readonly boots: number;
  readonly incidentRecords: number;
  /** Incident records of which no event was published: the controller was killed between. */
  readonly untoldRecords: number;
}

/** @param spools folder of each host's spool; `events` all of the event stream */
export async function checkKept(options: {
  readonly storePath: string;
  readonly spools: ReadonlyMap<HostId, string>;
  readonly lastKept: LastKept;
  readonly events: readonly CloudEvent[];
}): Promise<KeptFacts> {
  await using store = await openStore({
    path: options.storePath,
    clock: systemClock,
    logger: createLogger({
      program: 'kept-check',
      level: 'error',
      format: 'text',
      clock: systemClock,
      write: (line) => process.stderr.write(line),
    }),
    retentionHours: RETENTION_HOURS,
    decode: decodeBatch,
  });
  let [batches, boots] = [0, 0];
  const coverages = await store.loadCoverages();
  assert.deepEqual(
    coverages.map(({ host }) => host).toSorted(),
    [...options.spools.keys()].toSorted(),
  );
  for (const coverage of coverages) {
    const journal = await readJournal(store, coverage.host);
    const spool = readSpool(options.spools.get(coverage.host) ?? '');
    assert.deepEqual(
      [...journal.keys()].toSorted(),
      coverage.boots.map(({ boot }) => boot).toSorted(),
    );
    for (const ofBoot of coverage.boots) {
      const counts = journal.get(ofBoot.boot) ?? new Map<number, number>();
      checkBoot(ofBoot, { counts, spool, lastKept: options.lastKept });
      batches += counts.size;
      boots += 1;
    }
  }
  assert.equal(store.counters().corruptRecordCount, 0);
  return { batches, boots, ...(await checkIncidents(store, options.events)) };
}

/** How often the journal has each sequence of each boot. */
async function readJournal(store: Store, host: HostId): Promise<Map<BootId, Map<number, number>>> {
  const all = { startMs: 0, endMs: Number.MAX_SAFE_INTEGER, pointsMax: BATCHES_MAX };
  const journal = new Map<BootId, Map<number, number>>();
  for await (const { boot, sequence } of store.readRange(host, all)) {
    const counts = journal.get(boot) ?? new Map<number, number>();
    journal.set(boot, counts.set(sequence, (counts.get(sequence) ?? 0) + 1));
  }
  return journal;
}

function checkBoot(
  { boot, ranges }: BootCoverage,
  kept: {
    readonly counts: ReadonlyMap<number, number>;
    readonly spool: readonly SpoolRecord[];
    readonly lastKept: LastKept;
  },
): void {
  assert.equal(ranges.length, 1, `boot ${boot} has no hole: ${JSON.stringify(ranges)}`);
  assert.equal(ranges[0]?.first, 1);
  const mark = ranges[0].last;
  for (let sequence = 1; sequence <= mark; sequence += 1)
    assert.equal(kept.counts.get(sequence), 1, `boot ${boot}, sequence ${sequence} is kept once`);
  assert.equal(kept.counts.size, mark, `boot ${boot} has nothing beyond its mark`);
  // What the spool gave up must be covered, and so must all that a killed agent had kept.
  const firstHeld = Math.min(
    ...kept.spool.filter((record) => record.boot === boot).map(({ sequence }) => sequence),
  );
  if (firstHeld !== Infinity) assert.ok(mark >= firstHeld - 1);
  assert.ok(mark >= (kept.lastKept.get(boot) ?? 0), `boot ${boot}: the mark ${mark} is the last`);
}

async function checkIncidents(
  store: Store,
  events: readonly CloudEvent[],
): Promise<Pick<KeptFacts, 'incidentRecords' | 'untoldRecords'>> {
  const records: IncidentRecord[] = [];
  for await (const record of store.loadIncidentRecords()) records.push(record);
  assert.deepEqual(
    records.map(({ sequence }) => sequence),
    records.map((_, index) => index + 1),
    'incident records are numbered without a hole',
  );
  // A number that was given twice would show as an event that tells another record than the ledger
  // has.
  const told = new Set<number>();
  for (const { type, data } of events) {
    if (!type.startsWith('com.foreshadow.incident.')) continue;
    const { record } = data as { readonly incident: Incident; readonly record: IncidentRecord };
    assert.deepEqual(records[record.sequence - 1], record);
    assert.ok(!told.has(record.sequence), `record ${record.sequence} is told once`);
    told.add(record.sequence);
  }
  return { incidentRecords: records.length, untoldRecords: records.length - told.size };
}
