// A controller as a real process, fed over real NATS with what no agent should send. Whatever is
// refused is counted under its code, whatever is sound is kept, and the process stays ready.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { BATCH_BYTES_MAX, type Batch, type BootId } from '@foreshadow/model';
import { seededRandom } from '@foreshadow/runtime';
import { encodeBatch } from '@foreshadow/wire';
import { openControllerProcess, type ControllerProcess } from '../support/controller-process.ts';
import { openFakeAgent, type FakeAgent } from '../support/fake-agent.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 60_000 };
const HOUR_MS = 3_600_000;
const NATS_PAYLOAD_BYTES_MAX = 1024 * 1024;
const FUZZED_COUNT = 500;
const SEED = 7;

let controller: ControllerProcess;
let hostCount = 0;

before(async () => {
  controller = await openControllerProcess();
}, LIMIT);
after(async () => {
  await controller[Symbol.asyncDispose]();
}, LIMIT);

/** An agent of a host of its own, so that tests do not meet. */
async function openAgent(): Promise<FakeAgent> {
  hostCount += 1;
  const { controlAddress, brokerUrl } = controller;
  return openFakeAgent({ host: `bad-${hostCount}`, controlAddress, brokerUrl });
}

const refused = (code: string): Promise<number> =>
  controller.metric(`foreshadow_ingest_batches_refused_total{code="${code}"}`);

/** Sends, and waits until one more message than before is refused with the code. */
async function assertRefused(code: string, send: () => Promise<void>): Promise<void> {
  const countBefore = await refused(code);
  await send();
  await until(`a refusal with ${code}`, async () => (await refused(code)) > countBefore);
  assert.equal(await refused(code), countBefore + 1);
}

/** The values of `tasks` that the controller shows, oldest first. */
async function shownTasks(agent: FakeAgent): Promise<readonly number[]> {
  const nowMs = Date.now();
  const span = { startMs: nowMs - 2 * HOUR_MS, endMs: nowMs + HOUR_MS, pointsMax: 10_000 };
  const { series } = await controller.client.series(agent.host, { metric: 'tasks', ...span });
  return series[0]?.values ?? [];
}

/** Ends every test: what was sound is acknowledged and shown, and nothing else is. */
async function assertKept(
  agent: FakeAgent,
  wanted: readonly number[],
  mark: number,
): Promise<void> {
  await until(`mark ${mark}`, () => agent.mark >= mark);
  assert.equal(agent.mark, mark);
  assert.deepEqual(await shownTasks(agent), wanted);
  assert.ok(controller.isRunning);
  assert.deepEqual(await controller.client.readiness(), { isOk: true, reasons: [] });
}

/** Replaces one run of bytes, which must be there once. */
function replaced(bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes);
  const at = buffer.indexOf(from);
  assert.ok(at >= 0 && buffer.indexOf(from, at + 1) < 0);
  buffer.set(to, at);
  return buffer;
}
function doubleOf(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleLE(value);
  return buffer;
}

test(
  'bytes that are no batch are WIRE_BATCH_MALFORMED, and those of a batch beside them are kept',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    await agent.send(encodeBatch(agent.batch(1)));
    await assertRefused('WIRE_BATCH_MALFORMED', () => agent.send(Buffer.from('no batch at all')));
    await assertRefused('WIRE_BATCH_MALFORMED', () => agent.send(Buffer.alloc(0)));
    const truncated = encodeBatch(agent.batch(2)).subarray(0, -3);
    await assertRefused('WIRE_BATCH_MALFORMED', () => agent.send(truncated));
    await agent.send(encodeBatch(agent.batch(2)));
    await assertKept(agent, [1, 2], 2);
  },
);

test('a frame of another version or cut short within is refused whole', LIMIT, async () => {
  await using agent = await openAgent();
  const frameOfOne = Buffer.from([1, 1, 0, 1]); // Version, one group, no instance, one reading.
  const newer = replaced(encodeBatch(agent.batch(1)), frameOfOne, Buffer.from([9, 1, 0, 1]));
  await assertRefused('WIRE_FRAME_VERSION', () => agent.send(newer));
  const short = replaced(encodeBatch(agent.batch(1)), frameOfOne, Buffer.from([1, 1, 0, 2]));
  await assertRefused('WIRE_FRAME_MALFORMED', () => agent.send(short));
  await agent.send(encodeBatch(agent.batch(1)));
  await assertKept(agent, [1], 1);
});

test(
  'a message larger than a batch may be is MESSAGE_TOO_LARGE, up to the most that NATS carries',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    for (const sizeBytes of [BATCH_BYTES_MAX + 1, NATS_PAYLOAD_BYTES_MAX])
      await assertRefused('MESSAGE_TOO_LARGE', () => agent.send(Buffer.alloc(sizeBytes, 0x42)));
    await agent.send(encodeBatch(agent.batch(1)));
    await assertKept(agent, [1], 1);
  },
);

test(
  'a client that sends more than NATS carries is cut off by it, and nobody else notices',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    const { hostname, port } = new URL(controller.brokerUrl);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on('error', () => undefined);
    let said = '';
    socket.on('data', (chunk: Buffer) => void (said += chunk.toString()));
    socket.write(`CONNECT {}\r\nPUB foreshadow.v1.samples.0.${agent.host} 2000000\r\n`);
    await until('the refusal', () => /Maximum Payload/i.test(said));
    socket.destroy();
    await agent.send(encodeBatch(agent.batch(1)));
    await assertKept(agent, [1], 1);
  },
);

test(
  'values that are not finite are left out and counted, and the others of the batch are kept',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    const dropped = 'foreshadow_ingest_readings_dropped_total';
    const countBefore = await controller.metric(dropped);
    const odd = 0.123_456_7; // Finer than any resolution, so it travels as a double.
    const spoiled = [Number.NaN, Infinity, -Infinity].map((value, index) => {
      const readings = [
        { metric: 'tasks', value: index + 1 },
        { metric: 'load_average_1m', value: odd },
      ] as const;
      return replaced(
        encodeBatch(agent.batch(index + 1, { readings })),
        doubleOf(odd),
        doubleOf(value),
      );
    });
    for (const bytes of spoiled) await agent.send(bytes);
    await until(
      'three to be left out',
      async () => (await controller.metric(dropped)) > countBefore + 2,
    );
    await assertKept(agent, [1, 2, 3], 3);
    const { series } = await controller.client.series(agent.host, { metric: 'load_average_1m' });
    assert.deepEqual(
      series.flatMap(({ values }) => values),
      [],
    );
  },
);

test(
  'times that are none are TIME_INVALID, and one 10 minutes ahead is TIME_FAR_FUTURE',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    const wrong: Partial<Batch>[] = [
      { wallMs: Number.NaN },
      { wallMs: Infinity },
      { wallMs: -1 },
      { monotonicMs: Number.NaN },
      { intervalMs: 0 },
      { events: [{ kind: 'x', atMs: Number.NaN, sentence: '', details: {} }] },
    ];
    for (const [index, change] of wrong.entries()) {
      const batch = agent.batch(index + 1, change);
      await assertRefused('TIME_INVALID', () => agent.send(encodeBatch(batch)));
    }
    const ahead = agent.batch(wrong.length + 1, { wallMs: Date.now() + 600_000 });
    await assertRefused('TIME_FAR_FUTURE', () => agent.send(encodeBatch(ahead)));
    const sound = wrong.length + 2;
    await agent.send(encodeBatch(agent.batch(sound)));
    await assertKept(agent, [sound], sound); // What was refused will not come, and is not awaited.
  },
);

test(
  'duplicates and batches out of order are kept once each, in the order of their times',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    const duplicates = 'foreshadow_ingest_batches_duplicate_total';
    const countBefore = await controller.metric(duplicates);
    for (const sequence of [3, 1, 3, 5, 4, 2, 2, 1, 5])
      await agent.send(encodeBatch(agent.batch(sequence)));
    await until('all of them', () => agent.mark >= 5);
    await agent.send(encodeBatch(agent.batch(3))); // Long after it was acknowledged.
    await until(
      'the duplicates',
      async () => (await controller.metric(duplicates)) - countBefore >= 5,
    );
    await assertKept(agent, [1, 2, 3, 4, 5], 5);
  },
);

test(
  'a batch that is missing holds the mark back until it comes or a gap says that it will not',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    for (const sequence of [1, 3, 4]) await agent.send(encodeBatch(agent.batch(sequence)));
    await until('what is there', async () => (await shownTasks(agent)).length === 3);
    assert.equal(agent.mark, 1);
    const gaps = [{ boot: agent.boot, firstSequence: 2, lastSequence: 2 }];
    await agent.send(encodeBatch(agent.batch(5, { gaps })));
    await assertKept(agent, [1, 3, 4, 5], 5);
  },
);

test(
  'a counter that starts again and a clock that steps back are kept as facts',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    const nowMs = Date.now();
    const wallTimes = [nowMs - 2_000, nowMs - 1_000, nowMs - HOUR_MS, nowMs];
    const totals = [500, 501, 2, 3];
    for (const [index, wallMs] of wallTimes.entries()) {
      const value = totals[index] ?? 0;
      const readings = [
        { metric: 'tasks', value: index + 1 },
        { metric: 'cpu_used_seconds_total', value },
      ] as const;
      await agent.send(encodeBatch(agent.batch(index + 1, { wallMs, readings })));
    }
    await assertKept(agent, [3, 1, 2, 4], 4);
  },
);

test('an unknown host, a foreign subject and a foreign payload are refused', LIMIT, async () => {
  await using agent = await openAgent();
  await using neighbour = await openAgent();
  const unknown = 'foreshadow.v1.samples.0.nobody';
  const shouting = 'foreshadow.v1.samples.0.NOBODY';
  for (const subject of [unknown, shouting])
    await assertRefused('HOST_UNKNOWN', () => agent.send(encodeBatch(agent.batch(1)), subject));
  const foreign = `foreshadow.v1.samples.0.${neighbour.host}`;
  await assertRefused('SUBJECT_MISMATCH', () => agent.send(encodeBatch(agent.batch(1)), foreign));
  assert.deepEqual(await shownTasks(neighbour), []);
  await agent.send(encodeBatch(agent.batch(1)));
  await assertKept(agent, [1], 1);
});

test('numbers, gaps and reports beyond their bounds are refused', LIMIT, async () => {
  await using agent = await openAgent();
  await agent.send(encodeBatch(agent.batch(1)));
  await until('the first', () => agent.mark === 1);
  const report = {
    mode: 'snapshot',
    snapshotId: 1,
    partIndex: 2,
    partCount: 2,
    changes: [],
  } as const;
  const wrong: readonly (readonly [code: string, change: Partial<Batch>])[] = [
    ['SEQUENCE_INVALID', { sequence: 0 }],
    ['SEQUENCE_INVALID', { sequence: 0xffff_ffff }],
    [
      'GAP_INVALID',
      { sequence: 2, gaps: [{ boot: agent.boot, firstSequence: 9, lastSequence: 3 }] },
    ],
    ['REPORT_INVALID', { sequence: 3, fingerprints: report }],
    ['WIRE_BATCH_MALFORMED', { boot: 'NOT A BOOT' as BootId }], // What no agent says.
  ];
  for (const [code, change] of wrong)
    await assertRefused(code, () => agent.send(encodeBatch(agent.batch(4, change))));
  await agent.send(encodeBatch(agent.batch(4)));
  await assertKept(agent, [1, 4], 4); // 2 and 3 are known to be lost.
});

test(
  'of hundreds of damaged batches none stops the controller or costs a sound one',
  LIMIT,
  async () => {
    await using agent = await openAgent();
    await using victim = await openAgent();
    const random = seededRandom(SEED);
    for (let count = 1; count <= FUZZED_COUNT; count += 1) {
      const bytes = Buffer.from(encodeBatch(victim.batch(1 + Math.floor(random() * 9))));
      for (let flips = 0; flips < 3; flips += 1) {
        const at = Math.floor(random() * bytes.length);
        bytes[at] = Math.floor(random() * 256);
      }
      await victim.send(bytes);
      if (count % 50 === 0) await agent.send(encodeBatch(agent.batch(count / 50)));
    }
    await assertKept(agent, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], FUZZED_COUNT / 50);
    const errors = controller.log.split('\n').filter((line) => line.includes('"level":"error"'));
    const ownErrors = errors.filter((line) => !line.includes('"message":"nats-server"'));
    assert.deepEqual(ownErrors, [], 'what agents send is no error of the controller');
  },
);
