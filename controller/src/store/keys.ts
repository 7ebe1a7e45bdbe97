// In: identities and times. Out: the keys of level, drawn in KEYS.md; and back.
// Never: has two spellings of one identity, so that writing a thing twice writes it over itself.

import {
  parseBootId,
  parseHostId,
  type BootId,
  type HostId,
  type ItemKey,
} from '@foreshadow/model';

/** The first byte of every key. */
export const prefixes = {
  format: 'm',
  journal: 'j',
  coverage: 'c',
  item: 'f',
  itemsHead: 'h',
  incident: 'i',
  state: 's',
} as const;
export type Prefix = (typeof prefixes)[keyof typeof prefixes];

/** Level's names for the ends of a range. */
export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

export interface JournalIdentity {
  readonly host: HostId;
  /** Whole epoch ms of the host's clock, 0 to `KEY_TIME_MS_MAX`. */
  readonly timeMs: number;
  readonly boot: BootId;
  readonly sequence: number;
}

export const KEY_TIME_MS_MAX = 2 ** 48 - 1;
const TIME_BYTES = 6;
const BOOT_BYTES = 8;
const SEQUENCE_BYTES = 4;
const TAIL_BYTES = TIME_BYTES + BOOT_BYTES + SEQUENCE_BYTES;
const ORDINAL_BYTES = 6;

/** `<prefix><text>`. */
export function textKey(prefix: Prefix, text: string): Uint8Array {
  return Buffer.from(prefix + text);
}

/** `<prefix><host>NUL`: no host is the beginning of another one's keys. */
function hostKey(prefix: Prefix, host: HostId): string {
  return `${prefix}${host}\0`;
}

export function journalKey(identity: JournalIdentity): Uint8Array {
  const head = hostKey(prefixes.journal, identity.host);
  const key = Buffer.allocUnsafe(head.length + TAIL_BYTES);
  let offset = key.write(head, 'latin1');
  offset = key.writeUIntBE(clampTime(identity.timeMs), offset, TIME_BYTES);
  offset += key.write(identity.boot, offset, 'hex');
  key.writeUInt32BE(identity.sequence, offset);
  return key;
}

/** @returns undefined for bytes that are no journal key */
export function parseJournalKey(key: Uint8Array): JournalIdentity | undefined {
  const bytes = view(key);
  const start = bytes.length - TAIL_BYTES;
  if (start < 2 || bytes.toString('latin1', 0, 1) !== prefixes.journal || bytes[start - 1] !== 0)
    return undefined;
  const host = parseHostId(bytes.toString('latin1', 1, start - 1));
  const bootStart = start + TIME_BYTES;
  const boot = parseBootId(bytes.toString('hex', bootStart, bootStart + BOOT_BYTES));
  if (host === undefined || boot === undefined) return undefined;
  const timeMs = bytes.readUIntBE(start, TIME_BYTES);
  return { host, timeMs, boot, sequence: bytes.readUInt32BE(bootStart + BOOT_BYTES) };
}

/** Every record of `host` whose key has a time in [startMs, endMs]. */
export function journalRange(
  host: HostId,
  span: { readonly startMs: number; readonly endMs: number },
): KeyRange {
  const head = hostKey(prefixes.journal, host);
  const end = clampTime(span.endMs);
  return {
    gte: timeKey(head, clampTime(span.startMs)),
    lt: end === KEY_TIME_MS_MAX ? journalEnd(host) : timeKey(head, end + 1),
  };
}

/** Greater than every journal key of `host`, less than those of the next host. */
export function journalEnd(host: HostId): Uint8Array {
  return Buffer.from(`${prefixes.journal}${host}\u0001`);
}

function timeKey(head: string, timeMs: number): Uint8Array {
  const key = Buffer.allocUnsafe(head.length + TIME_BYTES);
  key.writeUIntBE(timeMs, key.write(head, 'latin1'), TIME_BYTES);
  return key;
}

function clampTime(timeMs: number): number {
  return Math.min(KEY_TIME_MS_MAX, Math.max(0, Math.floor(timeMs)));
}

export function itemRecordKey(host: HostId, item: ItemKey): Uint8Array {
  return Buffer.from(hostKey(prefixes.item, host) + item);
}

/** @returns undefined for bytes that are no key of an item */
export function parseItemRecordKey(key: Uint8Array): { host: HostId; item: ItemKey } | undefined {
  const text = view(key).toString();
  const end = text.indexOf('\0');
  const host = parseHostId(text.slice(1, end));
  return end < 0 || host === undefined || text[0] !== prefixes.item
    ? undefined
    : { host, item: text.slice(end + 1) };
}

/** @param sequence whole, 0 to 2^48 - 1 */
export function incidentKey(sequence: number): Uint8Array {
  const key = Buffer.allocUnsafe(1 + ORDINAL_BYTES);
  key.writeUIntBE(sequence, key.write(prefixes.incident, 'latin1'), ORDINAL_BYTES);
  return key;
}

/** Every key with the prefix whose text begins with `text`. */
export function prefixRange(prefix: Prefix, text = ''): KeyRange {
  const gte = Buffer.from(prefix + text);
  return { gte, lt: Buffer.concat([gte, Buffer.from([0xff])]) };
}

/** @returns the key as a person may read it: its text, and the rest in hexadecimal digits */
export function describeKey(key: Uint8Array): string {
  const journal = parseJournalKey(key);
  if (journal !== undefined)
    return `journal of ${journal.host}, time ${journal.timeMs}, boot ${journal.boot}, sequence ${journal.sequence}`;
  const bytes = view(key);
  return bytes.toString('latin1', 0, 1) === prefixes.incident
    ? `incident record ${bytes.subarray(1).toString('hex')}`
    : JSON.stringify(bytes.toString());
}

function view(key: Uint8Array): Buffer {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}
