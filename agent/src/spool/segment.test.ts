// Facts about segment files: what was written comes back, and damage never takes more than it must.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BATCH_BYTES_MAX, parseBootId } from '@foreshadow/model';
import {
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  decodeSegment,
  encodeRecord,
  encodeSegmentHeader,
} from './segment.ts';

const boot = parseBootId('0123456789abcdef');
assert.ok(boot !== undefined);
const header = encodeSegmentHeader(boot);
const record = fc.record({
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  bytes: fc.uint8Array({ maxLength: 200 }),
});

const fileOf = (records: readonly { sequence: number; bytes: Uint8Array }[]): Buffer =>
  Buffer.concat([header, ...records.map(({ sequence, bytes }) => encodeRecord(sequence, bytes))]);
const plain = (records: readonly { sequence: number; bytes: Uint8Array }[]): unknown =>
  records.map(({ sequence, bytes }) => [sequence, Buffer.from(bytes).toString('hex')]);

test('a segment comes back as it was written', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 12 }), (records) => {
      const file = fileOf(records);
      const decoded = decodeSegment(file);
      assert.equal(decoded.boot, boot);
      assert.equal(decoded.soundBytes, file.length);
      assert.deepEqual(plain(decoded.records), plain(records));
      assert.ok(decoded.records.every((found) => found.boot === boot));
    }),
  );
});

test('a torn tail costs the record that it tears, and no other', () => {
  const records = fc.array(record, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(records, fc.nat(), (given, cut) => {
      const file = fileOf(given);
      const torn = file.subarray(0, SEGMENT_HEADER_BYTES + (cut % (file.length - header.length)));
      const decoded = decodeSegment(torn);
      assert.ok(decoded.records.length < given.length);
      assert.deepEqual(plain(decoded.records), plain(given.slice(0, decoded.records.length)));
      assert.equal(decoded.soundBytes, fileOf(given.slice(0, decoded.records.length)).length);
    }),
  );
});

test('a changed bit is noticed: what is read before it is as it was written', () => {
  const records = fc.array(record, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(7), (given, place, bit) => {
      const file = fileOf(given);
      const at = SEGMENT_HEADER_BYTES + (place % (file.length - SEGMENT_HEADER_BYTES));
      file[at] = (file[at] ?? 0) ^ (1 << bit);
      const decoded = decodeSegment(file);
      assert.ok(decoded.soundBytes <= at);
      assert.deepEqual(plain(decoded.records), plain(given.slice(0, decoded.records.length)));
    }),
  );
});

test('any bytes are read without an error, and a file without a header has no boot', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.ok(decodeSegment(bytes).soundBytes <= bytes.length);
    }),
  );
  assert.deepEqual(decodeSegment(header.subarray(1)), { records: [], soundBytes: 0 });
});

test('a record that says that it is larger than a batch can be is not read', () => {
  const large = Buffer.from(encodeRecord(1, new Uint8Array(BATCH_BYTES_MAX + 1)));
  assert.equal(decodeSegment(Buffer.concat([header, large])).records.length, 0);
  assert.equal(large.length, RECORD_HEADER_BYTES + BATCH_BYTES_MAX + 1);
});
