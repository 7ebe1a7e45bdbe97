// In: encoded batches of one boot. Out: the bytes of a segment file, and the batches back from it.
// Never: trusts a file; a record whose checksum is wrong ends what can be read.
//
//   segment = boot 8 bytes, record…
//   record  = length u32 LE (of payload), crc32 u32 LE (of sequence and payload), sequence u32 LE,
//   payload

import { crc32 } from 'node:zlib';
import { BATCH_BYTES_MAX, type BootId, parseBootId } from '@foreshadow/model';

export const SEGMENT_HEADER_BYTES = 8;
export const RECORD_HEADER_BYTES = 12;

export interface SpoolRecord {
  readonly boot: BootId;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export function encodeSegmentHeader(boot: BootId): Uint8Array {
  return Buffer.from(boot, 'hex');
}

export function encodeRecord(sequence: number, payload: Uint8Array): Uint8Array {
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + payload.length);
  record.writeUInt32LE(payload.length, 0);
  record.writeUInt32LE(sequence, 8);
  record.set(payload, RECORD_HEADER_BYTES);
  record.writeUInt32LE(crc32(record.subarray(8)), 4);
  return record;
}

export interface DecodedSegment {
  /** Absent when not even the header is there. */
  readonly boot?: BootId;
  readonly records: readonly SpoolRecord[];
  /** Length of the part that is whole; what follows is torn or damaged. */
  readonly soundBytes: number;
}

/** Payloads are views of `file`. */
export function decodeSegment(file: Uint8Array): DecodedSegment {
  const buffer = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const boot = parseBootId(buffer.toString('hex', 0, SEGMENT_HEADER_BYTES));
  if (boot === undefined) return { records: [], soundBytes: 0 };
  const records: SpoolRecord[] = [];
  let offset = SEGMENT_HEADER_BYTES;
  while (offset + RECORD_HEADER_BYTES <= buffer.length) {
    const length = buffer.readUInt32LE(offset);
    const end = offset + RECORD_HEADER_BYTES + length;
    if (length > BATCH_BYTES_MAX || end > buffer.length) break;
    if (crc32(buffer.subarray(offset + 8, end)) !== buffer.readUInt32LE(offset + 4)) break;
    records.push({
      boot,
      sequence: buffer.readUInt32LE(offset + 8),
      bytes: buffer.subarray(offset + RECORD_HEADER_BYTES, end),
    });
    offset = end;
  }
  return { boot, records, soundBytes: offset };
}
