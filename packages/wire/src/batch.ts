// In: a batch, or the bytes of one. Out: the bytes (proto/telemetry.proto), or the batch.
// Never: trusts; what does not fit the contract is refused whole, with a code.
//
// Written over protobufjs' reader and writer, without its reflection, which the agent's memory
// could not carry (docs/decisions/0004). test/contract/wire.test.ts holds it against
// proto/telemetry.proto.

import protobuf from 'protobufjs/minimal.js';
import {
  BATCH_BYTES_MAX,
  CHANGES_PER_BATCH_MAX,
  EVENTS_PER_BATCH_MAX,
  fingerprintSubjects,
  parseBootId,
  parseHostId,
  type Batch,
  type FingerprintChange,
  type FingerprintReport,
  type Gap,
  type HostEvent,
  type UnitReport,
} from '@foreshadow/model';
import { CodedError, codeOf } from '@foreshadow/runtime';
import { decodeFrame, encodeFrame } from './frame.ts';
import { readMap, writeMap, type Reader, type Writer } from './map.ts';

export const UNITS_PER_BATCH_MAX = 64;
export const GAPS_PER_BATCH_MAX = 64;

const modes = [undefined, 'snapshot', 'changes'] as const;
const changeKinds = [undefined, 'present', 'removed', 'unreadable'] as const;
const unitResults = [undefined, 'done', 'failed', 'hanging'] as const;
const unreadableReasons = [
  'permission',
  'too-large',
  'not-a-file',
  'vanished',
  'io-error',
] as const;

/** @throws CodedError WIRE_BATCH_TOO_LARGE; split it into several batches */
export function encodeBatch(batch: Batch): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, LENGTH)).string(batch.host);
  writer.uint32(tag(2, LENGTH)).string(batch.boot);
  writer.uint32(tag(3, VARINT)).uint32(batch.sequence);
  writer.uint32(tag(4, FIXED64)).double(batch.wallMs);
  writer.uint32(tag(5, FIXED64)).double(batch.monotonicMs);
  writer.uint32(tag(6, VARINT)).uint32(batch.intervalMs);
  if (batch.readings.length > 0) writer.uint32(tag(7, LENGTH)).bytes(encodeFrame(batch.readings));
  if (batch.fingerprints !== undefined) {
    writeReport(writer.uint32(tag(8, LENGTH)).fork(), batch.fingerprints).ldelim();
  }
  for (const event of batch.events)
    writeEvent(writer.uint32(tag(9, LENGTH)).fork(), event).ldelim();
  for (const unit of batch.units) writeUnit(writer.uint32(tag(10, LENGTH)).fork(), unit).ldelim();
  for (const gap of batch.gaps) writeGap(writer.uint32(tag(11, LENGTH)).fork(), gap).ldelim();
  const bytes = writer.finish();
  if (bytes.length > BATCH_BYTES_MAX) throw tooLarge(bytes.length);
  return bytes;
}

function writeReport(writer: Writer, report: FingerprintReport): Writer {
  writer.uint32(tag(1, VARINT)).uint32(modes.indexOf(report.mode));
  writer.uint32(tag(2, VARINT)).uint32(report.snapshotId);
  writer.uint32(tag(3, VARINT)).uint32(report.partIndex);
  writer.uint32(tag(4, VARINT)).uint32(report.partCount);
  for (const change of report.changes) {
    writeChange(writer.uint32(tag(5, LENGTH)).fork(), change).ldelim();
  }
  return writer;
}

function writeChange(writer: Writer, change: FingerprintChange): Writer {
  const named = change.kind === 'present' ? change.item : change;
  writer.uint32(tag(1, VARINT)).uint32(changeKinds.indexOf(change.kind));
  writer.uint32(tag(2, LENGTH)).string(named.subject);
  writer.uint32(tag(3, LENGTH)).string(named.name);
  if (change.kind === 'present') {
    writer.uint32(tag(4, LENGTH)).bytes(Buffer.from(change.item.digest, 'hex'));
    writeMap(writer, tag(5, LENGTH), change.item.facts);
    const { modifiedAtMs } = change.item;
    if (modifiedAtMs !== undefined) writer.uint32(tag(6, FIXED64)).double(modifiedAtMs);
  }
  if (change.kind === 'unreadable') writer.uint32(tag(7, LENGTH)).string(change.reason);
  return writer;
}

function writeEvent(writer: Writer, event: HostEvent): Writer {
  writer.uint32(tag(1, LENGTH)).string(event.kind);
  writer.uint32(tag(2, FIXED64)).double(event.atMs);
  writer.uint32(tag(3, LENGTH)).string(event.sentence);
  return writeMap(writer, tag(4, LENGTH), event.details);
}

function writeUnit(writer: Writer, unit: UnitReport): Writer {
  writer.uint32(tag(1, LENGTH)).string(unit.unit);
  writer.uint32(tag(2, VARINT)).uint32(unitResults.indexOf(unit.result));
  writer.uint32(tag(3, FIXED32)).float(unit.durationMs);
  if (unit.errorCode !== undefined) writer.uint32(tag(4, LENGTH)).string(unit.errorCode);
  return writer;
}

function writeGap(writer: Writer, gap: Gap): Writer {
  writer.uint32(tag(1, LENGTH)).string(gap.boot);
  writer.uint32(tag(2, VARINT)).uint32(gap.firstSequence);
  return writer.uint32(tag(3, VARINT)).uint32(gap.lastSequence);
}

/**
 * @returns a batch whose every part is within its bound; numbers inside readings may still be NaN
 *   or infinite
 * @throws CodedError WIRE_BATCH_TOO_LARGE, WIRE_BATCH_MALFORMED, or a frame's code
 */
export function decodeBatch(bytes: Uint8Array): Batch {
  if (bytes.length > BATCH_BYTES_MAX) throw tooLarge(bytes.length);
  try {
    return readBatch(protobuf.Reader.create(bytes));
  } catch (error) {
    if (codeOf(error).startsWith('WIRE_')) throw error;
    throw new CodedError('WIRE_BATCH_MALFORMED', `batch of ${bytes.length} bytes is not protobuf`, {
      cause: error,
    });
  }
}

function readBatch(reader: Reader): Batch {
  let [host, boot, sequence, wallMs, monotonicMs, intervalMs] = ['', '', 0, 0, 0, 0];
  let frame: Uint8Array = new Uint8Array(0);
  let fingerprints: FingerprintReport | undefined;
  const events: HostEvent[] = [];
  const units: UnitReport[] = [];
  const gaps: Gap[] = [];
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key === tag(1, LENGTH)) host = reader.string();
    else if (key === tag(2, LENGTH)) boot = reader.string();
    else if (key === tag(3, VARINT)) sequence = reader.uint32();
    else if (key === tag(4, FIXED64)) wallMs = reader.double();
    else if (key === tag(5, FIXED64)) monotonicMs = reader.double();
    else if (key === tag(6, VARINT)) intervalMs = reader.uint32();
    else if (key === tag(7, LENGTH)) frame = reader.bytes();
    else if (key === tag(8, LENGTH))
      fingerprints = readReport(reader, reader.uint32() + reader.pos);
    else if (key === tag(9, LENGTH)) add(events, EVENTS_PER_BATCH_MAX, readEvent(reader));
    else if (key === tag(10, LENGTH)) add(units, UNITS_PER_BATCH_MAX, readUnit(reader));
    else if (key === tag(11, LENGTH)) add(gaps, GAPS_PER_BATCH_MAX, readGap(reader));
    else reader.skipType(key & 7);
  }
  const hostId = parseHostId(host) ?? refuse(`host ${JSON.stringify(host.slice(0, 80))}`);
  const bootId = parseBootId(boot) ?? refuse(`boot ${JSON.stringify(boot.slice(0, 80))}`);
  const { readings } = decodeFrame(frame);
  const batch = { host: hostId, boot: bootId, sequence, wallMs, monotonicMs, intervalMs };
  const parts = { readings, events, units, gaps };
  return fingerprints === undefined ? { ...batch, ...parts } : { ...batch, ...parts, fingerprints };
}

function readReport(reader: Reader, end: number): FingerprintReport {
  let [mode, snapshotId, partIndex, partCount] = [0, 0, 0, 0];
  const changes: FingerprintChange[] = [];
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === tag(1, VARINT)) mode = reader.uint32();
    else if (key === tag(2, VARINT)) snapshotId = reader.uint32();
    else if (key === tag(3, VARINT)) partIndex = reader.uint32();
    else if (key === tag(4, VARINT)) partCount = reader.uint32();
    else if (key === tag(5, LENGTH)) add(changes, CHANGES_PER_BATCH_MAX, readChange(reader));
    else reader.skipType(key & 7);
  }
  return {
    mode: modes[mode] ?? refuse(`report mode ${mode}`),
    snapshotId,
    partIndex,
    partCount,
    changes,
  };
}

function readChange(reader: Reader): FingerprintChange {
  const end = reader.uint32() + reader.pos;
  let [kindNumber, subjectText, name, modifiedMs, reasonText] = [0, '', '', 0, ''];
  let digest: Uint8Array = new Uint8Array(0);
  const facts: Record<string, string> = {};
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === tag(1, VARINT)) kindNumber = reader.uint32();
    else if (key === tag(2, LENGTH)) subjectText = reader.string();
    else if (key === tag(3, LENGTH)) name = reader.string();
    else if (key === tag(4, LENGTH)) digest = reader.bytes();
    else if (key === tag(5, LENGTH)) readMap(reader, facts);
    else if (key === tag(6, FIXED64)) modifiedMs = reader.double();
    else if (key === tag(7, LENGTH)) reasonText = reader.string();
    else reader.skipType(key & 7);
  }
  const subject =
    fingerprintSubjects.find((known) => known === subjectText) ??
    refuse(`subject ${subjectText.slice(0, 80)}`);
  if (name === '') refuse('a fingerprint change without a name');
  const kind = changeKinds[kindNumber] ?? refuse(`change kind ${kindNumber}`);
  if (kind === 'removed') return { kind, subject, name };
  if (kind === 'unreadable') {
    const reason = unreadableReasons.find((known) => known === reasonText) ?? 'io-error';
    return { kind, subject, name, reason };
  }
  if (digest.length !== DIGEST_BYTES) refuse(`a digest of ${digest.length} bytes`);
  const item = { subject, name, digest: Buffer.from(digest).toString('hex'), facts };
  return { kind, item: modifiedMs === 0 ? item : { ...item, modifiedAtMs: modifiedMs } };
}

function readEvent(reader: Reader): HostEvent {
  const end = reader.uint32() + reader.pos;
  let [kind, atMs, sentence] = ['', 0, ''];
  const details: Record<string, string> = {};
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === tag(1, LENGTH)) kind = reader.string();
    else if (key === tag(2, FIXED64)) atMs = reader.double();
    else if (key === tag(3, LENGTH)) sentence = reader.string();
    else if (key === tag(4, LENGTH)) readMap(reader, details);
    else reader.skipType(key & 7);
  }
  return { kind, atMs, sentence, details };
}

function readUnit(reader: Reader): UnitReport {
  const end = reader.uint32() + reader.pos;
  let [unit, resultNumber, durationMs, errorCode] = ['', 0, 0, ''];
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === tag(1, LENGTH)) unit = reader.string();
    else if (key === tag(2, VARINT)) resultNumber = reader.uint32();
    else if (key === tag(3, FIXED32)) durationMs = reader.float();
    else if (key === tag(4, LENGTH)) errorCode = reader.string();
    else reader.skipType(key & 7);
  }
  const result = unitResults[resultNumber] ?? refuse(`unit result ${resultNumber}`);
  const report = { unit, result, durationMs };
  return errorCode === '' ? report : { ...report, errorCode };
}

function readGap(reader: Reader): Gap {
  const end = reader.uint32() + reader.pos;
  let [boot, firstSequence, lastSequence] = ['', 0, 0];
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === tag(1, LENGTH)) boot = reader.string();
    else if (key === tag(2, VARINT)) firstSequence = reader.uint32();
    else if (key === tag(3, VARINT)) lastSequence = reader.uint32();
    else reader.skipType(key & 7);
  }
  return { boot: parseBootId(boot) ?? refuse('a gap without a boot'), firstSequence, lastSequence };
}

function add<Item>(items: Item[], countMax: number, item: Item): void {
  if (items.length >= countMax) refuse(`more than ${countMax} entries in one list`);
  items.push(item);
}

function refuse(what: string): never {
  throw new CodedError('WIRE_BATCH_MALFORMED', `batch has ${what}; it was refused whole`);
}

function tooLarge(sizeBytes: number): CodedError {
  return new CodedError(
    'WIRE_BATCH_TOO_LARGE',
    `batch has ${sizeBytes} bytes, more than ${BATCH_BYTES_MAX}; split it`,
  );
}

// Wire types of protobuf, and the key that stands before each field.
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const DIGEST_BYTES = 16;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}
