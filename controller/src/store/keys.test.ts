// In: identities. Out: proof that keys sort as their identities do, and give them back.
// Never: opens level.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBootId, parseHostId } from '@foreshadow/model';
import {
  KEY_TIME_MS_MAX,
  describeKey,
  incidentKey,
  itemRecordKey,
  journalEnd,
  journalKey,
  journalRange,
  parseItemRecordKey,
  parseJournalKey,
  prefixRange,
  prefixes,
  textKey,
  type JournalIdentity,
} from './keys.ts';

function required<Value>(value: Value | undefined): Value {
  ok(value !== undefined);
  return value;
}

const host = fc
  .stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/)
  .map((text) => required(parseHostId(text)));
const boot = fc
  .bigInt({ min: 0n, max: 2n ** 64n - 1n })
  .map((number) => required(parseBootId(number.toString(16).padStart(16, '0'))));
const identity: fc.Arbitrary<JournalIdentity> = fc.record(
  {
    host,
    timeMs: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: KEY_TIME_MS_MAX })),
    boot,
    sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  },
  { noNullPrototype: true },
);
const order = (left: Uint8Array, right: Uint8Array): number => Buffer.compare(left, right);

test('a journal key gives back its identity', () => {
  fc.assert(
    fc.property(identity, (given) => {
      deepEqual(parseJournalKey(journalKey(given)), given);
    }),
  );
});

test('journal keys of one host sort by time, boot and sequence', () => {
  fc.assert(
    fc.property(identity, identity, (left, other) => {
      const right = { ...other, host: left.host };
      const expected =
        left.timeMs - right.timeMs ||
        (left.boot < right.boot ? -1 : left.boot > right.boot ? 1 : 0) ||
        left.sequence - right.sequence;
      equal(Math.sign(order(journalKey(left), journalKey(right))), Math.sign(expected));
    }),
  );
});

test('a range holds exactly the records of its host and times', () => {
  const time = fc.integer({ min: 0, max: 20 });
  fc.assert(
    fc.property(identity, host, time, time, (given, ofHost, startMs, endMs) => {
      const key = journalKey({ ...given, timeMs: given.timeMs % 20 });
      const { gte, lt } = journalRange(ofHost, { startMs, endMs });
      const isIn = order(key, gte) >= 0 && order(key, lt) < 0;
      const timeMs = given.timeMs % 20;
      equal(isIn, given.host === ofHost && timeMs >= startMs && timeMs <= endMs);
    }),
  );
});

test('the range of all times and the end of a host hold its last possible record', () => {
  fc.assert(
    fc.property(identity, (given) => {
      const key = journalKey({ ...given, timeMs: KEY_TIME_MS_MAX });
      const { gte, lt } = journalRange(given.host, { startMs: -5, endMs: Infinity });
      ok(order(key, gte) >= 0 && order(key, lt) < 0);
      ok(order(key, journalEnd(given.host)) < 0);
    }),
  );
});

test('bytes that are no journal key, and truncated ones, give nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const parsed = parseJournalKey(bytes);
      if (parsed !== undefined) deepEqual(Buffer.from(journalKey(parsed)), Buffer.from(bytes));
    }),
  );
  fc.assert(
    fc.property(identity, fc.nat(40), (given, cut) => {
      const key = journalKey(given);
      const parsed = parseJournalKey(key.subarray(0, key.length - 1 - (cut % key.length)));
      equal(parsed?.host === given.host && parsed.timeMs === given.timeMs, false);
    }),
  );
});

test('an item key gives back host and item, any name included', () => {
  const name = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(host, name, (ofHost, text) => {
      const item = `file:${text}`;
      deepEqual(parseItemRecordKey(itemRecordKey(ofHost, item)), { host: ofHost, item });
    }),
  );
  equal(parseItemRecordKey(Buffer.from('f')), undefined);
});

test('incident keys sort by sequence', () => {
  const sequence = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  fc.assert(
    fc.property(sequence, sequence, (left, right) => {
      equal(Math.sign(order(incidentKey(left), incidentKey(right))), Math.sign(left - right));
    }),
  );
});

test('a prefix range holds the keys that begin with its text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, start) => {
      const key = textKey(prefixes.state, text);
      const { gte, lt } = prefixRange(prefixes.state, start);
      const isIn = order(key, gte) >= 0 && order(key, lt) < 0;
      equal(isIn, Buffer.from(text).indexOf(start) === 0);
    }),
  );
});

test('prefixes are one byte each, all different', () => {
  const all = Object.values(prefixes);
  equal(new Set(all).size, all.length);
  ok(all.every((prefix) => Buffer.from(prefix).length === 1));
});

test('KEYS.md draws every prefix, and its example is what the codec writes', async () => {
  const text = await readFile(join(import.meta.dirname, 'KEYS.md'), 'utf8');
  for (const prefix of Object.values(prefixes)) ok(text.includes(`| \`${prefix}\` | \`${prefix}`));
  const example = journalKey({
    host: required(parseHostId('web-1')),
    timeMs: Date.parse('2026-11-20T07:00:00Z'),
    boot: required(parseBootId('00112233445566aa')),
    sequence: 258,
  });
  ok(
    text.includes(
      Buffer.from(example)
        .toString('hex')
        .replaceAll(/(..)(?!$)/g, '$1 '),
    ),
  );
});

test('a key is described for a person', () => {
  const key = journalKey({
    host: required(parseHostId('web-1')),
    timeMs: 5,
    boot: required(parseBootId('00112233445566aa')),
    sequence: 7,
  });
  equal(describeKey(key), 'journal of web-1, time 5, boot 00112233445566aa, sequence 7');
  equal(describeKey(incidentKey(258)), 'incident record 000000000102');
  equal(describeKey(textKey(prefixes.state, 'host/a')), '"shost/a"');
});
