// In: messages, good and bad. Out: proof that each gets its answer, and that marks follow commits.
// Never: uses a broker; messages are offered by hand, batches travel as JSON.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BATCH_BYTES_MAX,
  CHANGES_PER_BATCH_MAX,
  EVENTS_PER_BATCH_MAX,
  READINGS_PER_BATCH_MAX,
  parseBootId,
  parseHostId,
  type Batch,
  type BootId,
  type HostCoverage,
  type HostId,
} from '@foreshadow/model';
import { CodedError } from '@foreshadow/runtime';
import { BOOTS_PER_HOST_MAX } from './coverage.ts';
import {
  INGEST_QUEUE_BYTES_MAX,
  INGEST_QUEUE_MAX,
  createIngest,
  type Ingest,
  type Taken,
} from './ingest.ts';
import { FUTURE_MS_MAX, SEQUENCE_AHEAD_MAX, SEQUENCE_MAX } from './validate.ts';

const NOW_MS = 1_800_000_000_000;
const host = parseHostId('web-1') ?? fail();
const boot = bootOf(1);

function fail(): never {
  throw new TypeError('not an identifier');
}
function bootOf(number: number): BootId {
  return parseBootId(number.toString(16).padStart(16, '0')) ?? fail();
}

function batchOf(fields: Partial<Batch> = {}): Batch {
  return {
    host,
    boot,
    sequence: 1,
    wallMs: NOW_MS,
    monotonicMs: 1_000,
    intervalMs: 1_000,
    readings: [{ metric: 'processes_running', value: 2 }],
    events: [],
    units: [],
    gaps: [],
    ...fields,
  };
}

/** JSON that keeps what protobuf would: NaN and the infinities. */
function encode(batch: Batch): Uint8Array {
  return Buffer.from(
    JSON.stringify(batch, (_, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? `#${value}` : value,
    ),
  );
}
function decode(bytes: Uint8Array): Batch {
  if (bytes[0] !== 0x7b) throw new CodedError('WIRE_BATCH_MALFORMED', 'not a batch');
  const revive = (_: string, value: unknown): unknown =>
    typeof value === 'string' && value.startsWith('#') ? Number(value.slice(1)) : value;
  return JSON.parse(Buffer.from(bytes).toString(), revive) as Batch; // The test wrote it.
}

function open(coverages: readonly HostCoverage[] = []): Ingest {
  return createIngest({ decode, isKnownHost: (id) => id.startsWith('web-'), coverages });
}
function offer(ingest: Ingest, batch: Batch, subjectHost: string = batch.host): void {
  offerBytes(ingest, encode(batch), subjectHost);
}
function offerBytes(ingest: Ingest, data: Uint8Array, subjectHost: string = host): void {
  ingest.offer({ subject: `foreshadow.v1.samples.0.${subjectHost}`, data, receivedMs: NOW_MS });
}
function sequencesOf(ingest: Ingest): readonly number[] {
  return ingest.take(100_000).batches.map(({ batch }) => batch.sequence);
}

const refusals: readonly (readonly [name: string, code: string, fields: Partial<Batch>])[] = [
  ['sequence 0', 'SEQUENCE_INVALID', { sequence: 0 }],
  ['a fractional sequence', 'SEQUENCE_INVALID', { sequence: 1.5 }],
  ['a sequence beyond 32 bits', 'SEQUENCE_INVALID', { sequence: SEQUENCE_MAX + 1 }],
  ['a malformed boot', 'BOOT_INVALID', { boot: 'ABC' as BootId }],
  ['wall time NaN', 'TIME_INVALID', { wallMs: Number.NaN }],
  ['infinite wall time', 'TIME_INVALID', { wallMs: Infinity }],
  ['negative wall time', 'TIME_INVALID', { wallMs: -1 }],
  ['monotonic time NaN', 'TIME_INVALID', { monotonicMs: Number.NaN }],
  ['interval 0', 'TIME_INVALID', { intervalMs: 0 }],
  [
    'an event at no time',
    'TIME_INVALID',
    { events: [{ kind: 'start', atMs: Number.NaN, sentence: '', details: {} }] },
  ],
  ['a far future', 'TIME_FAR_FUTURE', { wallMs: NOW_MS + FUTURE_MS_MAX + 1 }],
  [
    'too many readings',
    'TOO_MANY_ENTRIES',
    {
      readings: Array.from({ length: READINGS_PER_BATCH_MAX + 1 }, () => ({
        metric: 'tasks' as const,
        value: 1,
      })),
    },
  ],
  [
    'too many events',
    'TOO_MANY_ENTRIES',
    {
      events: Array.from({ length: EVENTS_PER_BATCH_MAX + 1 }, () => ({
        kind: 'start',
        atMs: 1,
        sentence: '',
        details: {},
      })),
    },
  ],
  [
    'too many fingerprint changes',
    'TOO_MANY_ENTRIES',
    { fingerprints: reportOf({ count: CHANGES_PER_BATCH_MAX + 1 }) },
  ],
  ['a gap that ends before it begins', 'GAP_INVALID', { gaps: [gapOf({ first: 5, last: 4 })] }],
  ['a gap from 0', 'GAP_INVALID', { gaps: [gapOf({ first: 0, last: 4 })] }],
  ['part 2 of 2', 'REPORT_INVALID', { fingerprints: reportOf({ partIndex: 2 }) }],
  ['0 parts', 'REPORT_INVALID', { fingerprints: reportOf({ partCount: 0 }) }],
  ['a million parts', 'REPORT_INVALID', { fingerprints: reportOf({ partCount: 1e6 }) }],
];

function reportOf(fields: { count?: number; partIndex?: number; partCount?: number }) {
  const changes = Array.from({ length: fields.count ?? 0 }, (_, index) => ({
    kind: 'removed' as const,
    subject: 'file' as const,
    name: `/etc/${index}`,
  }));
  const { partIndex = 0, partCount = 2 } = fields;
  return { mode: 'snapshot' as const, snapshotId: 1, partIndex, partCount, changes };
}
function gapOf(range: { first: number; last: number }) {
  return { boot, firstSequence: range.first, lastSequence: range.last };
}

for (const [name, code, fields] of refusals) {
  test(`a batch with ${name} is refused with ${code}`, () => {
    const ingest = open();
    offer(ingest, batchOf(fields));
    deepEqual(ingest.take(10).batches, []);
    deepEqual(ingest.counters().refusedCounts, new Map([[code, 1]]));
  });
}

test('undecodable, oversized, foreign and unknown messages are refused with their codes', () => {
  const ingest = open();
  offerBytes(ingest, Buffer.from('garbage'));
  offerBytes(ingest, new Uint8Array(0));
  offerBytes(ingest, Buffer.from('{"cut":'));
  offerBytes(ingest, new Uint8Array(BATCH_BYTES_MAX + 1));
  offer(ingest, batchOf(), 'web-2');
  offer(ingest, batchOf({ host: 'db-1' as HostId }));
  offer(ingest, batchOf(), 'WEB-1');
  offer(ingest, batchOf(), '');
  deepEqual(ingest.take(10), { batches: [], lost: [] });
  deepEqual(
    ingest.counters().refusedCounts,
    new Map([
      ['MESSAGE_TOO_LARGE', 1],
      ['WIRE_BATCH_MALFORMED', 2],
      ['UNEXPECTED', 1],
      ['SUBJECT_MISMATCH', 1],
      ['HOST_UNKNOWN', 3],
    ]),
  );
});

test('whatever the bytes and the subject, nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (data, subject) => {
      const ingest = open();
      ingest.offer({ subject, data, receivedMs: NOW_MS });
      equal(ingest.take(10).batches.length, 0);
      equal(ingest.counters().queueLength, 0);
    }),
  );
});

test('the queue holds no more messages and no more bytes than its bounds', () => {
  const ingest = open();
  const small = encode(batchOf());
  for (let count = 0; count < INGEST_QUEUE_MAX + 3; count += 1) offerBytes(ingest, small);
  equal(ingest.counters().queueLength, INGEST_QUEUE_MAX);
  equal(ingest.counters().refusedCounts.get('QUEUE_FULL'), 3);
  const heavy = open();
  const large = new Uint8Array(BATCH_BYTES_MAX);
  const fit = INGEST_QUEUE_BYTES_MAX / BATCH_BYTES_MAX;
  for (let count = 0; count < fit + 2; count += 1) offerBytes(heavy, large);
  equal(heavy.counters().queueBytes, INGEST_QUEUE_BYTES_MAX);
  equal(heavy.counters().refusedCounts.get('QUEUE_FULL'), 2);
  equal(heavy.take(fit).batches.length, 0);
  equal(heavy.counters().queueBytes, 0);
});

test('readings that are not finite are dropped and counted, the others stay', () => {
  const ingest = open();
  const readings = [Number.NaN, 1, Infinity, -Infinity, -0].map((value) => ({
    metric: 'tasks' as const,
    value,
  }));
  offer(ingest, batchOf({ readings }));
  const [accepted] = ingest.take(1).batches;
  deepEqual(
    accepted?.batch.readings.map(({ value }) => value),
    [1, 0],
  );
  equal(ingest.counters().droppedReadingCount, 3);
});

test('a clock that steps back within a boot is accepted', () => {
  const ingest = open();
  offer(ingest, batchOf({ sequence: 1 }));
  offer(ingest, batchOf({ sequence: 2, wallMs: NOW_MS - 3_600_000 }));
  deepEqual(sequencesOf(ingest), [1, 2]);
});

test('a duplicate is dropped while taken, and after the commit', () => {
  const ingest = open();
  offer(ingest, batchOf());
  offer(ingest, batchOf());
  const taken = ingest.take(10);
  equal(taken.batches.length, 1);
  offer(ingest, batchOf());
  equal(ingest.take(10).batches.length, 0);
  ingest.confirm(taken);
  offer(ingest, batchOf());
  equal(ingest.take(10).batches.length, 0);
  equal(ingest.counters().duplicateCount, 3);
  equal(ingest.counters().acceptedCount, 1);
});

test('a batch that is refused, and known by its identity, holds up no mark', () => {
  const ingest = open();
  offer(ingest, batchOf({ sequence: 1 }));
  offer(ingest, batchOf({ sequence: 2, wallMs: Number.NaN }));
  offer(ingest, batchOf({ sequence: 3 }));
  const taken = ingest.take(10);
  const { batches, lost } = taken;
  equal(batches.length, 2);
  deepEqual(lost, [{ host, boot, firstSequence: 2, lastSequence: 2 }]);
  const coverage = ingest.coverageWith(taken);
  deepEqual(coverage[0]?.boots[0]?.ranges, [{ first: 1, last: 3 }]);
  deepEqual(ingest.confirm(taken), [{ host, boot, sequence: 3 }]);
  const again = open(coverage);
  for (const each of [ingest, again]) {
    offer(each, batchOf({ sequence: 2, wallMs: Number.NaN }));
    deepEqual(each.take(10), { batches: [], lost: [] });
  }
  offer(ingest, batchOf({ sequence: 4, wallMs: -1 }));
  deepEqual(ingest.confirm(ingest.take(10)), [{ host, boot, sequence: 4 }]);
  deepEqual(ingest.counters().refusedCounts, new Map([['TIME_INVALID', 2]]));
});

test('a batch that is refused for want of an identity covers no sequence', () => {
  const ingest = open();
  offer(ingest, batchOf(), 'web-2');
  offer(ingest, batchOf({ boot: 'ABC' as BootId }));
  offer(ingest, batchOf({ sequence: 0 }));
  offerBytes(ingest, new Uint8Array(BATCH_BYTES_MAX + 1));
  deepEqual(ingest.take(10), { batches: [], lost: [] });
});

test('a mark advances with the commit, over gaps, and never over a hole', () => {
  const ingest = open();
  for (const sequence of [1, 2, 4]) offer(ingest, batchOf({ sequence }));
  const first = ingest.take(10);
  deepEqual(ingest.marks(host), []);
  deepEqual(ingest.confirm(first), [{ host, boot, sequence: 2 }]);
  const older = bootOf(7);
  const gaps = [
    { boot, firstSequence: 3, lastSequence: 3 },
    { boot: older, firstSequence: 1, lastSequence: 90 },
  ];
  offer(ingest, batchOf({ sequence: 6, gaps }));
  deepEqual(ingest.confirm(ingest.take(10)), [
    { host, boot: older, sequence: 90 },
    { host, boot, sequence: 4 },
  ]);
  offer(ingest, batchOf({ sequence: 5 }));
  deepEqual(ingest.confirm(ingest.take(10)), [{ host, boot, sequence: 6 }]);
  offer(ingest, batchOf({ sequence: 9 }));
  deepEqual(ingest.confirm(ingest.take(10)), []);
});

test('a sequence too far ahead is refused, but a boot may begin anywhere', () => {
  const ingest = open();
  const late = 100_000_000;
  offer(ingest, batchOf({ sequence: late }));
  ingest.confirm(ingest.take(1));
  offer(ingest, batchOf({ sequence: late + SEQUENCE_AHEAD_MAX + 1 }));
  offer(ingest, batchOf({ sequence: late + SEQUENCE_AHEAD_MAX }));
  deepEqual(sequencesOf(ingest), [late + SEQUENCE_AHEAD_MAX]);
  equal(ingest.counters().refusedCounts.get('SEQUENCE_INVALID'), 1);
});

test('of too many boots the one used longest ago is forgotten', () => {
  const ingest = open();
  for (let number = 1; number <= BOOTS_PER_HOST_MAX; number += 1)
    offer(ingest, batchOf({ boot: bootOf(number) }));
  ingest.confirm(ingest.take(100));
  offer(ingest, batchOf({ boot: bootOf(1), sequence: 2 }));
  ingest.confirm(ingest.take(1));
  offer(ingest, batchOf({ boot: bootOf(99) }));
  ingest.confirm(ingest.take(1));
  const boots = ingest.marks(host).map((mark) => mark.boot);
  equal(boots.length, BOOTS_PER_HOST_MAX);
  equal(boots.includes(bootOf(2)), false);
  deepEqual(boots.slice(-2), [bootOf(1), bootOf(99)]);
});

/** The store as ingest sees it: batches by identity, and the coverage of the last commit. */
function createMemory() {
  const stored = new Map<string, number>();
  const coverages = new Map<HostId, HostCoverage>();
  const commit = (ingest: Ingest, taken: Taken): void => {
    for (const { batch } of taken.batches)
      stored.set(
        `${batch.boot}/${batch.sequence}`,
        (stored.get(`${batch.boot}/${batch.sequence}`) ?? 0) + 1,
      );
    for (const coverage of ingest.coverageWith(taken)) coverages.set(coverage.host, coverage);
  };
  return { stored, coverages, commit };
}

test('under loss, repetition, reordering and restarts each batch is stored once', () => {
  const step = fc.record({
    sequences: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 12 }),
    end: fc.constantFrom('confirmed', 'killed before commit', 'killed after commit'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const memory = createMemory();
      let ingest = open();
      for (const { sequences, end } of steps) {
        for (const sequence of sequences) offer(ingest, batchOf({ sequence }));
        const taken = ingest.take(100);
        if (end === 'confirmed' || end === 'killed after commit') memory.commit(ingest, taken);
        if (end === 'confirmed') {
          for (const mark of ingest.confirm(taken)) {
            for (let sequence = 1; sequence <= mark.sequence; sequence += 1)
              equal(memory.stored.get(`${boot}/${sequence}`), 1);
          }
        }
        if (end.startsWith('killed')) ingest = open([...memory.coverages.values()]);
      }
      equal(
        [...memory.stored.values()].every((count) => count === 1),
        true,
      );
    }),
  );
});
