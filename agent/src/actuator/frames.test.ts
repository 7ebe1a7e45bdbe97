import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalJson, encodeFrame, FrameReader, MESSAGE_BYTES_MAX } from './frames.ts';
import { isRefusal } from './refusal.ts';

function frame(body: string | Uint8Array, length = Buffer.byteLength(body)): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(length);
  return Buffer.concat([head, Buffer.from(body)]);
}

function readAll(reader: FrameReader): readonly unknown[] {
  const found: unknown[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    found.push(isRefusal(next) ? next.code : next.message);
    if (isRefusal(next)) break;
  }
  return found;
}

test('what is no message is refused by its code', () => {
  const f = (bytes: Uint8Array, code: string): void => {
    const reader = new FrameReader();
    reader.add(bytes);
    assert.deepEqual(readAll(reader), [code]);
  };
  f(frame('', 0), 'MESSAGE_TOO_LARGE');
  f(frame('', MESSAGE_BYTES_MAX + 1), 'MESSAGE_TOO_LARGE');
  f(frame('', 2 ** 32 - 1), 'MESSAGE_TOO_LARGE');
  f(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'MESSAGE_TOO_LARGE');
  f(frame('garbage'), 'MESSAGE_INVALID');
  f(frame(Buffer.from([0xff, 0xfe])), 'MESSAGE_INVALID');
  f(frame('\ufeff{}'), 'MESSAGE_INVALID');
  f(frame('{"a":1,"a":2}'), 'MESSAGE_INVALID');
  f(frame('{"b":1,"a":2}'), 'MESSAGE_INVALID');
  f(frame('{ "a":1}'), 'MESSAGE_INVALID');
  f(frame('{"a":-0}'), 'MESSAGE_INVALID');
  f(frame('{"a":1e2}'), 'MESSAGE_INVALID');
  f(frame('{"a":9007199254740993}'), 'MESSAGE_INVALID');
  f(frame('{"a":1'), 'MESSAGE_INVALID');
  f(frame('['.repeat(60_000)), 'MESSAGE_INVALID');
  f(frame(`${'['.repeat(30_000)}${']'.repeat(30_000)}`), 'MESSAGE_INVALID');
});

test('a truncated message is no message yet', () => {
  const reader = new FrameReader();
  reader.add(frame('{}').subarray(0, 5));
  assert.equal(reader.next(), undefined);
  reader.add(frame('{}').subarray(5));
  assert.deepEqual(readAll(reader), [{}]);
});

test('a message beyond the bound is not made', () => {
  assert.equal(encodeFrame('x'.repeat(MESSAGE_BYTES_MAX)), undefined);
  assert.equal(encodeFrame('x'.repeat(MESSAGE_BYTES_MAX - 2))?.length, MESSAGE_BYTES_MAX + 4);
});

test('messages come back whole, however the stream is cut', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), cuts, (values, sizes) => {
      const bytes = Buffer.concat(values.map((value) => encodeFrame(value) ?? Buffer.alloc(0)));
      const reader = new FrameReader();
      const found: unknown[] = [];
      for (let offset = 0, index = 0; offset < bytes.length; index += 1) {
        const size = sizes[index % sizes.length] ?? 1;
        reader.add(bytes.subarray(offset, offset + size));
        found.push(...readAll(reader));
        offset += size;
      }
      assert.deepEqual(found.map(canonicalJson), values.map(canonicalJson));
    }),
  );
});

test('any bytes are a message, a refusal or not enough', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const reader = new FrameReader();
      reader.add(bytes);
      readAll(reader);
    }),
  );
});
