// Facts about the wire: what packages/wire writes is what proto/*.proto says, and nothing malformed
// is ever half taken.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  BATCH_BYTES_MAX,
  fingerprintSubjects,
  metricNames,
  metrics,
  type Batch,
  type BootId,
  type FingerprintChange,
  type HostId,
  type Reading,
} from '@foreshadow/model';
import { codeOf } from '@foreshadow/runtime';
import {
  decodeBatch,
  decodeControllerMessage,
  decodeFrame,
  encodeAgentMessage,
  encodeBatch,
  encodeFrame,
} from '@foreshadow/wire';

const protoFolder = join(import.meta.dirname, '../../proto');
const telemetry = protobuf
  .loadSync(join(protoFolder, 'telemetry.proto'))
  .lookupType('foreshadow.v1.Batch');
const control = protobuf.loadSync(join(protoFolder, 'control.proto'));

const host = 'web-1' as HostId;
const boot = '0123456789abcdef' as BootId;
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.string({ maxLength: 40, unit: 'grapheme' });
const facts = fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), text, { maxKeys: 8 });
const double = fc.double({ noNaN: true, noDefaultInfinity: true });

/** Values as sources have them: whole numbers of the metric's resolution. */
const exactReading: fc.Arbitrary<Reading> = fc
  .record({
    metric: fc.constantFrom(...metricNames),
    steps: fc.maxSafeNat(),
    instance: fc.option(fc.string({ minLength: 1, maxLength: 20 }), { nil: undefined }),
  })
  .map(({ metric, steps, instance }) => {
    const { resolution } = metrics[metric];
    const bounded = steps % 2 ** 40;
    const value = resolution < 1 ? bounded / Math.round(1 / resolution) : bounded * resolution;
    return instance === undefined ? { metric, value } : { metric, instance, value };
  });
const anyReading = fc.record({ metric: fc.constantFrom(...metricNames), value: double });

const change: fc.Arbitrary<FingerprintChange> = fc.oneof(
  fc
    .record({
      subject: fc.constantFrom(...fingerprintSubjects),
      name: fc.string({ minLength: 1, maxLength: 60 }),
      digest: fc
        .uint8Array({ minLength: 16, maxLength: 16 })
        .map((bytes) => Buffer.from(bytes).toString('hex')),
      facts,
      modifiedAtMs: fc.integer({ min: 1, max: 4e12 }),
    })
    .map((item): FingerprintChange => ({ kind: 'present', item })),
  fc
    .record({
      subject: fc.constantFrom(...fingerprintSubjects),
      name: fc.string({ minLength: 1, maxLength: 60 }),
    })
    .map(({ subject, name }): FingerprintChange => ({ kind: 'removed', subject, name })),
  fc
    .record({
      subject: fc.constantFrom(...fingerprintSubjects),
      name: fc.string({ minLength: 1, maxLength: 60 }),
    })
    .map(({ subject, name }): FingerprintChange => ({
      kind: 'unreadable',
      reason: 'permission',
      subject,
      name,
    })),
);

const batch: fc.Arbitrary<Batch> = fc.record(
  {
    host: fc.constant(host),
    boot: fc.constant(boot),
    sequence: uint32,
    wallMs: double,
    monotonicMs: double,
    intervalMs: uint32,
    readings: fc.uniqueArray(exactReading, {
      selector: (reading) => `${reading.metric}/${reading.instance ?? ''}`,
      maxLength: 80,
    }),
    fingerprints: fc.record({
      mode: fc.constantFrom('snapshot' as const, 'changes' as const),
      snapshotId: uint32,
      partIndex: uint32,
      partCount: uint32,
      changes: fc.array(change, { maxLength: 20 }),
    }),
    events: fc.array(fc.record({ kind: text, atMs: double, sentence: text, details: facts }), {
      maxLength: 4,
    }),
    units: fc.array(
      fc.record({
        unit: text,
        result: fc.constantFrom('done' as const, 'failed' as const, 'hanging' as const),
        durationMs: fc.float({ noNaN: true, noDefaultInfinity: true }),
      }),
      { maxLength: 4 },
    ),
    gaps: fc.array(
      fc.record({ boot: fc.constant(boot), firstSequence: uint32, lastSequence: uint32 }),
      { maxLength: 4 },
    ),
  },
  {
    requiredKeys: [
      'host',
      'boot',
      'sequence',
      'wallMs',
      'monotonicMs',
      'intervalMs',
      'readings',
      'events',
      'units',
      'gaps',
    ],
  },
);

/** Without prototypes, which the generator leaves out, and without the sign of zero. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Order within a frame is by instance and number; what matters is the set. */
function sorted(readings: readonly Reading[]): string[] {
  return readings
    .map(({ metric, instance, value }) => `${instance ?? ''} ${metric} ${value + 0}`)
    .toSorted();
}

test('a batch comes back as it was', () => {
  fc.assert(
    fc.property(batch, (given) => {
      const back = decodeBatch(encodeBatch(given));
      assert.deepEqual(sorted(back.readings), sorted(given.readings));
      assert.deepEqual(plain({ ...back, readings: [] }), plain({ ...given, readings: [] }));
    }),
  );
});

test('readings of any finite value come back within half a step of their source, or exactly', () => {
  fc.assert(
    fc.property(anyReading, (reading) => {
      const [back] = decodeFrame(encodeFrame([reading])).readings;
      const tolerance = metrics[reading.metric].resolution * 1e-6;
      assert.ok(
        back !== undefined && Math.abs(back.value - reading.value) <= tolerance,
        `${back?.value}`,
      );
    }),
  );
});

test('the bytes of a batch mean the same to a reader made from proto/telemetry.proto', () => {
  fc.assert(
    fc.property(batch, (given) => {
      const bytes = encodeBatch(given);
      const seen = telemetry.toObject(telemetry.decode(bytes), {
        defaults: true,
        enums: String,
        arrays: true,
      });
      assert.equal(seen['host'], given.host);
      assert.equal(seen['sequence'], given.sequence);
      assert.equal(seen['events'].length, given.events.length);
      assert.equal(JSON.stringify(seen['gaps']), JSON.stringify(given.gaps));
      assert.equal(
        seen['fingerprints']?.changes.length ?? 0,
        given.fingerprints?.changes.length ?? 0,
      );
      const again = telemetry
        .encode(telemetry.fromObject(telemetry.toObject(telemetry.decode(bytes))))
        .finish();
      assert.deepEqual(
        { ...decodeBatch(again), readings: [] },
        { ...decodeBatch(bytes), readings: [] },
      );
    }),
  );
});

test('twenty counters, thirty levels and ten small numbers fit in 260 bytes', () => {
  const readings = metricNames.slice(0, 60).map((metric, index): Reading => {
    const { resolution } = metrics[metric];
    const steps =
      index % 6 === 5 ? 40 + index : (index % 3 === 0 ? 2 ** 24 : 2 ** 19) + index * 977;
    return {
      metric,
      value: resolution < 1 ? steps / Math.round(1 / resolution) : steps * resolution,
    };
  });
  assert.ok(encodeFrame(readings).length <= 260, `${encodeFrame(readings).length} bytes`);
});

test('damaged bytes are refused with a code, and never decoded into something else that throws', () => {
  const spoil = fc.record({ given: batch, at: fc.nat(), value: fc.nat(255), cut: fc.boolean() });
  fc.assert(
    fc.property(spoil, ({ given, at, value, cut }) => {
      const bytes = Uint8Array.from(encodeBatch(given));
      const position = at % bytes.length;
      bytes[position] = value;
      try {
        decodeBatch(cut ? bytes.subarray(0, position) : bytes);
      } catch (error) {
        assert.match(codeOf(error), /^WIRE_/);
      }
    }),
    { numRuns: 500 },
  );
});

test('random bytes are refused with a code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const decode of [decodeBatch, decodeFrame, decodeControllerMessage]) {
        try {
          decode(bytes);
        } catch (error) {
          assert.match(codeOf(error), /^WIRE_/);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a truncated frame, a frame of another version and a number beyond 2^53 are refused', () => {
  const frame = encodeFrame([{ metric: 'tasks', value: 7 }]);
  assert.throws(() => decodeFrame(frame.subarray(0, frame.length - 1)), {
    code: 'WIRE_FRAME_MALFORMED',
  });
  assert.throws(() => decodeFrame(Uint8Array.of(9, ...frame.subarray(1))), {
    code: 'WIRE_FRAME_VERSION',
  });
  const tooLarge = Uint8Array.of(1, 1, 0, 1, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1);
  assert.throws(() => decodeFrame(tooLarge), { code: 'WIRE_FRAME_MALFORMED' });
});

test('a metric of a newer agent is skipped and counted', () => {
  const frame = Buffer.from(encodeFrame([{ metric: 'tasks', value: 7 }]));
  const unknown = Uint8Array.of(1, 1, 0, 1, 0xfe, 0x0f, 14); // Tag of number 1023, then 7.
  assert.deepEqual(decodeFrame(unknown), { readings: [], unknownCount: 1 });
  assert.equal(decodeFrame(frame).unknownCount, 0);
});

test('a batch beyond its bound is refused on both sides', () => {
  const name = 'x'.repeat(4_000);
  const changes = Array.from({ length: 100 }, (): FingerprintChange => ({
    kind: 'removed',
    subject: 'file',
    name,
  }));
  const large: Batch = {
    host,
    boot,
    sequence: 1,
    wallMs: 0,
    monotonicMs: 0,
    intervalMs: 1_000,
    readings: [],
    events: [],
    units: [],
    gaps: [],
    fingerprints: { mode: 'changes', snapshotId: 1, partIndex: 0, partCount: 1, changes },
  };
  assert.throws(() => encodeBatch(large), { code: 'WIRE_BATCH_TOO_LARGE' });
  assert.throws(() => decodeBatch(new Uint8Array(BATCH_BYTES_MAX + 1)), {
    code: 'WIRE_BATCH_TOO_LARGE',
  });
});

test('a map with very many entries is refused, and __proto__ is a key like another', () => {
  const event = { kind: 'x', atMs: 1, sentence: '' };
  const make = (details: Record<string, string>): Uint8Array =>
    telemetry
      .encode(telemetry.fromObject({ host, boot, sequence: 1, events: [{ ...event, details }] }))
      .finish();
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, 'v']));
  assert.throws(() => decodeBatch(make(many)), { code: 'WIRE_MAP_TOO_LARGE' });
  const hostile = Buffer.from(make({ aaaaaaaaa: 'v' }));
  hostile.write('__proto__', hostile.indexOf('aaaaaaaaa'));
  const details = decodeBatch(hostile).events[0]?.details ?? {};
  assert.deepEqual(Object.keys(details), ['__proto__']);
  assert.equal(Object.getPrototypeOf(details), Object.prototype);
});

test('a NaN cannot be put in a frame', () => {
  assert.throws(() => encodeFrame([{ metric: 'tasks', value: Number.NaN }]), TypeError);
});

test('what an agent says means the same to a reader made from proto/control.proto', () => {
  const type = control.lookupType('foreshadow.v1.AgentMessage');
  const hello = {
    protocolVersion: 1,
    host,
    boot,
    role: 'shadow' as const,
    scope: 'host',
    agentVersion: '1',
    labels: { a: 'b' },
    inventory: { c: 'd' },
  };
  const command = 'cmd-0123456789abcdef01234567' as const;
  const read = (bytes: Uint8Array): unknown =>
    type.toObject(type.decode(bytes), { enums: String, oneofs: true });
  assert.deepEqual(read(encodeAgentMessage({ kind: 'hello', hello })), { hello, body: 'hello' });
  assert.deepEqual(read(encodeAgentMessage({ kind: 'receipt', command: command as never })), {
    receipt: { commandId: command },
    body: 'receipt',
  });
  const outcome = { kind: 'refused' as const, code: 'X', sentence: 'why' };
  assert.deepEqual(
    read(encodeAgentMessage({ kind: 'outcome', command: command as never, outcome })),
    {
      outcome: { commandId: command, kind: 'REFUSED', code: 'X', sentence: 'why' },
      body: 'outcome',
    },
  );
});

test('a command from proto/control.proto is read with its order, and one of a newer kind is refused', () => {
  const type = control.lookupType('foreshadow.v1.ControllerMessage');
  const write = (message: object): Uint8Array => type.encode(type.fromObject(message)).finish();
  const command = {
    id: 'cmd-0123456789abcdef01234567',
    isDryRun: true,
    requestedBy: 'me',
    reason: 'why',
    timeLimitMs: 5,
  };
  const restore = { item: 'file:/a', expectedDigest: 'e', targetDigest: 't' };
  assert.deepEqual(decodeControllerMessage(write({ command: { ...command, restore } })), {
    kind: 'command',
    command: { ...command, order: { kind: 'restore', ...restore } },
  });
  assert.deepEqual(decodeControllerMessage(write({ command: { ...command, markKnownGood: {} } })), {
    kind: 'command',
    command: { ...command, order: { kind: 'mark-known-good' } },
  });
  assert.throws(() => decodeControllerMessage(write({ command })), {
    code: 'WIRE_CONTROL_MALFORMED',
  });
  assert.throws(
    () => decodeControllerMessage(write({ command: { ...command, restore: { item: 'file:/a' } } })),
    { code: 'WIRE_CONTROL_MALFORMED' },
  );
  assert.deepEqual(decodeControllerMessage(write({ snapshotRequest: {} })), {
    kind: 'snapshot-request',
  });
  assert.deepEqual(decodeControllerMessage(write({ lowWaterMark: { boot, sequence: 9 } })), {
    kind: 'low-water-mark',
    mark: { boot, sequence: 9 },
  });
  assert.equal(decodeControllerMessage(new Uint8Array(0)), undefined);
});
