// In: a map<string, string> of a message. Out: its entries on the wire, or from it.
// Never: accepts more entries than bound, or a key that could reach an object's prototype.

import type protobuf from 'protobufjs/minimal.js';
import { CodedError } from '@foreshadow/runtime';

export type Reader = protobuf.Reader;
export type Writer = protobuf.Writer;
export const MAP_ENTRIES_MAX = 64;

const KEY = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;

export function writeMap(
  writer: Writer,
  tag: number,
  map: Readonly<Record<string, string>>,
): Writer {
  for (const [key, value] of Object.entries(map)) {
    writer.uint32(tag).fork().uint32(KEY).string(key).uint32(VALUE).string(value).ldelim();
  }
  return writer;
}

/** Reads one entry into `target`. @throws CodedError WIRE_MAP_TOO_LARGE */
export function readMap(reader: Reader, target: Record<string, string>): void {
  const end = reader.uint32() + reader.pos;
  let [key, value] = ['', ''];
  while (reader.pos < end) {
    const field = reader.uint32();
    if (field === KEY) key = reader.string();
    else if (field === VALUE) value = reader.string();
    else reader.skipType(field & 7);
  }
  if (Object.keys(target).length >= MAP_ENTRIES_MAX) {
    throw new CodedError(
      'WIRE_MAP_TOO_LARGE',
      `a map has more than ${MAP_ENTRIES_MAX} entries; send fewer`,
    );
  }
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
