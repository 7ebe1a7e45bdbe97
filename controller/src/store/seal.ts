// In: a key and a payload. Out: the value that level holds: checksum, then payload; and back.
// Never: gives out a payload that was changed, cut, or written under another key.
//
//   value = CRC-32 of key and payload, u32 big-endian; payload
//
// LevelDB checks its own blocks only when asked, and its binding does not let us ask.

import { crc32 } from 'node:zlib';

const CHECKSUM_BYTES = 4;

export function seal(key: Uint8Array, payload: Uint8Array): Uint8Array {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + payload.length);
  value.set(payload, value.writeUInt32BE(crc32(payload, crc32(key))));
  return value;
}

/** @returns a view of the payload; undefined when the checksum does not fit */
export function unseal(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
  if (value.length < CHECKSUM_BYTES) return undefined;
  const payload = value.subarray(CHECKSUM_BYTES);
  const checksum = new DataView(value.buffer, value.byteOffset, CHECKSUM_BYTES).getUint32(0);
  return checksum === crc32(payload, crc32(key)) ? payload : undefined;
}

export function sealJson(key: Uint8Array, value: unknown): Uint8Array {
  return seal(key, Buffer.from(JSON.stringify(value)));
}

/**
 * @returns undefined when the checksum does not fit; JSON has no undefined, so it is unambiguous
 */
export function unsealJson(key: Uint8Array, value: Uint8Array): unknown {
  const payload = unseal(key, value);
  return payload === undefined ? undefined : JSON.parse(Buffer.from(payload).toString());
}
