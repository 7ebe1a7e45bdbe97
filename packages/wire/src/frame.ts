// In: readings. Out: their frame, the densest part of a batch; and back.
// Never: needs an earlier frame. It can be lost, repeated and reordered without harm.
//
//   frame   = version u8 (1), groupCount varint, group…
//   group   = instanceLength varint, instance UTF-8 (empty: the scope as a whole),
//             readingCount varint, reading…
//   reading = tag varint, value
//   tag     = (idDelta << 1) | isFloat
//             idDelta ≥ 1, from the id before it in the group; ids ascend
//   value   = isFloat = 0: zigzag varint of value ÷ resolution of the metric
//             isFloat = 1: IEEE 754 double, little-endian (what does not fit the resolution)
//   varint  = 7 bits a byte, least significant first, high bit: more follow;
//             at most 8 bytes (2^53 and sign)

import { READINGS_PER_BATCH_MAX, metricNameOf, metrics, type Reading } from '@foreshadow/model';
import { CodedError } from '@foreshadow/runtime';

const VERSION = 1;
export const INSTANCE_BYTES_MAX = 255;
export const GROUPS_MAX = 1_024;
const READING_BYTES_MAX = 2 + 9; // Two bytes of tag (ids to 1023 are 11 bits), nine of value.
const SCALED_MAX = 2 ** 52; // Zigzag doubles it, and 2^53 is the last exact integer.
const SCALED_TOLERANCE = 1e-6; // Of one step: division by a resolution is not exact in binary.

/** @throws TypeError for a reading that is not finite; the sampler must have dropped it */
export function encodeFrame(readings: readonly Reading[]): Uint8Array {
  const groups = groupByInstance(readings);
  let sizeMax = 1 + 3;
  for (const [instance, group] of groups) {
    sizeMax += 6 + Buffer.byteLength(instance) + group.length * READING_BYTES_MAX;
  }
  const target = Buffer.allocUnsafe(sizeMax);
  let offset = target.writeUInt8(VERSION, 0);
  offset = writeVarint(target, offset, groups.size);
  for (const [instance, group] of groups) {
    offset = writeVarint(target, offset, Buffer.byteLength(instance));
    offset += target.write(instance, offset);
    offset = writeVarint(target, offset, group.length);
    let previousId = 0;
    for (const reading of group) {
      const { id } = metrics[reading.metric];
      offset = writeReading(target, offset, id - previousId, reading);
      previousId = id;
    }
  }
  return target.subarray(0, offset);
}

/** Groups by instance, each with ascending ids; of two readings of one metric the last wins. */
function groupByInstance(readings: readonly Reading[]): Map<string, readonly Reading[]> {
  const groups = new Map<string, Reading[]>();
  for (const reading of readings) {
    const instance = reading.instance ?? '';
    const group = groups.get(instance);
    if (group === undefined) groups.set(instance, [reading]);
    else group.push(reading);
  }
  const distinct = new Map<string, readonly Reading[]>();
  groups.forEach((group, instance) => distinct.set(instance, lastOfEach(group)));
  return distinct;
}

/** Sorts in place; sorting keeps the order of equal ids. */
function lastOfEach(group: Reading[]): readonly Reading[] {
  group.sort((left, right) => metrics[left.metric].id - metrics[right.metric].id);
  return group.filter(({ metric }, index) => metric !== group[index + 1]?.metric);
}

function writeReading(target: Buffer, offset: number, idDelta: number, reading: Reading): number {
  if (!Number.isFinite(reading.value)) throw new TypeError(`${reading.metric} is ${reading.value}`);
  const { resolution } = metrics[reading.metric];
  const scaled =
    resolution < 1 ? reading.value * Math.round(1 / resolution) : reading.value / resolution;
  const whole = Math.round(scaled);
  const fits = Math.abs(whole) < SCALED_MAX && Math.abs(scaled - whole) <= SCALED_TOLERANCE;
  const next = writeVarint(target, offset, idDelta * 2 + (fits ? 0 : 1));
  if (!fits) return target.writeDoubleLE(reading.value, next);
  return writeVarint(target, next, whole < 0 ? -whole * 2 - 1 : whole * 2);
}

function writeVarint(target: Buffer, offset: number, value: number): number {
  let rest = value;
  let next = offset;
  while (rest >= 0x80) {
    target[next] = (rest % 0x80) | 0x80;
    next += 1;
    rest = Math.floor(rest / 0x80);
  }
  target[next] = rest;
  return next + 1;
}

export interface DecodedFrame {
  readonly readings: readonly Reading[];
  /** Readings of metrics that this version does not know. */
  readonly unknownCount: number;
}

/**
 * @throws CodedError WIRE_FRAME_MALFORMED, WIRE_FRAME_VERSION; nothing is taken from a bad frame
 */
export function decodeFrame(bytes: Uint8Array): DecodedFrame {
  if (bytes.length === 0) return { readings: [], unknownCount: 0 };
  const cursor = new FrameCursor(bytes);
  const version = cursor.byte();
  if (version !== VERSION) {
    throw new CodedError(
      'WIRE_FRAME_VERSION',
      `frame version ${version} is not ${VERSION}; upgrade the older side`,
    );
  }
  const readings: Reading[] = [];
  let unknownCount = 0;
  const groupCount = cursor.count(GROUPS_MAX, 'groups');
  for (let group = 0; group < groupCount; group += 1) {
    const instance = cursor.text(cursor.count(INSTANCE_BYTES_MAX, 'instance bytes'));
    const readingCount = cursor.count(READINGS_PER_BATCH_MAX - readings.length, 'readings');
    let id = 0;
    for (let index = 0; index < readingCount; index += 1) {
      const tag = cursor.varint();
      if (tag < 2) throw malformed('a metric number that does not ascend');
      id += Math.floor(tag / 2);
      const raw = tag % 2 === 1 ? cursor.double() : cursor.zigzag();
      const metric = metricNameOf(id);
      if (metric === undefined) {
        unknownCount += 1;
        continue;
      }
      const value = tag % 2 === 1 ? raw : unscale(raw, metrics[metric].resolution);
      readings.push(instance === '' ? { metric, value } : { metric, instance, value });
    }
  }
  if (!cursor.isAtEnd) throw malformed('bytes after its end');
  return { readings, unknownCount };
}

function unscale(whole: number, resolution: number): number {
  return resolution < 1 ? whole / Math.round(1 / resolution) : whole * resolution;
}

function malformed(what: string): CodedError {
  return new CodedError('WIRE_FRAME_MALFORMED', `frame has ${what}; it was refused whole`);
}

/** Reads forward and never beyond the end. */
class FrameCursor {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }
  byte(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) throw malformed('an end before its last value');
    this.#offset += 1;
    return value;
  }
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let length = 0; length < VARINT_BYTES_MAX; length += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw malformed('a number beyond 2^53');
  }
  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  double(): number {
    if (this.#offset + 8 > this.#bytes.length) throw malformed('an end before its last value');
    const value = this.#bytes.readDoubleLE(this.#offset);
    this.#offset += 8;
    return value;
  }
  text(length: number): string {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw malformed('an end before its last value');
    const text = this.#bytes.toString('utf8', this.#offset, end);
    this.#offset = end;
    return text;
  }
  count(countMax: number, what: string): number {
    const count = this.varint();
    if (count > countMax) throw malformed(`${count} ${what}, more than ${countMax}`);
    return count;
  }
}

const VARINT_BYTES_MAX = 8;
