// Facts about the publisher: what no mark covers is sent again, at a bounded pace, never too soon.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BootId } from '@foreshadow/model';
import { CodedError, type Clock, type Logger } from '@foreshadow/runtime';
import {
  RESEND_AFTER_MS,
  RESEND_BATCHES_MAX,
  RESEND_CHECK_MS,
  createPublisher,
  type Publisher,
} from './publisher.ts';

const boot = '0123456789abcdef' as BootId; // As the parser would let through.

/** Batches are numbers; the mark is how many of them the controller holds. */
interface Scene {
  readonly publisher: Publisher;
  readonly sent: number[];
  batchCount: number;
  mark: number;
  /** Messages until the connection breaks. */
  room: number;
  connectionCount: number;
  /** Called while the spool is being read. */
  amidReading: () => void;
  readonly codes: unknown[];
  /** Lets the publisher check as often as fits in the time. */
  readonly run: (durationMs: number) => Promise<void>;
}

function createScene(batchCount: number, leftCount = 0): Scene {
  let nowMs = 0;
  let stopMs = 0;
  const stop = new AbortController();
  const clock: Clock = {
    nowMs: () => assert.fail('durations only'),
    monotonicMs: () => nowMs,
    sleep: async (durationMs) => {
      if (nowMs + durationMs > stopMs) throw new CodedError('STOPPED', 'the scene is over');
      nowMs += durationMs;
    },
    after: () => assert.fail('the publisher only sleeps'),
  };
  const state = {
    sent: [] as number[],
    codes: [] as unknown[],
    batchCount: leftCount,
    mark: 0,
    room: Infinity,
    connectionCount: 1,
    amidReading: () => {},
  };
  const error: Logger['error'] = (_message, fields) => state.codes.push(fields?.['code']);
  const readPending = async (page: {
    readonly after?: { readonly sequence: number };
    readonly countMax: number;
  }): Promise<readonly { boot: BootId; sequence: number; bytes: Uint8Array }[]> => {
    const first = Math.max(state.mark, page.after?.sequence ?? 0) + 1;
    const length = Math.max(0, Math.min(page.countMax, state.batchCount - first + 1));
    state.amidReading();
    return Array.from({ length }, (_, index) => ({
      boot,
      sequence: first + index,
      bytes: toBytes(first + index),
    }));
  };
  const publisher = createPublisher({
    publish: (bytes) => {
      if (state.room === 0) return false;
      state.room -= 1;
      state.sent.push(Buffer.from(bytes).readUInt32LE());
      return true;
    },
    connectionCount: () => state.connectionCount,
    spool: {
      oldestPending: () =>
        state.mark < state.batchCount ? { boot, sequence: state.mark + 1 } : undefined,
      readPending,
    },
    clock,
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error },
  });
  const run = async (durationMs: number): Promise<void> => {
    stopMs = nowMs + durationMs;
    await assert.rejects(publisher.run(stop.signal), { code: 'STOPPED' });
  };
  state.batchCount = batchCount;
  return Object.assign(state, { publisher, run });
}

function toBytes(number: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}
const countTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

test('a batch is sent at once, and again only when it stays the oldest for a while', async () => {
  const scene = createScene(1);
  scene.publisher.publishLive(toBytes(1));
  assert.deepEqual(scene.sent, [1]);
  await scene.run(RESEND_AFTER_MS);
  assert.deepEqual(scene.sent, [1]);
  await scene.run(RESEND_CHECK_MS);
  assert.deepEqual(scene.sent, [1, 1]);
  assert.equal(scene.publisher.resentCount, 1);
});

test('as long as the oldest batch changes, nothing is sent twice', async () => {
  const scene = createScene(100);
  for (let round = 1; round <= 10; round += 1) {
    await scene.run(RESEND_AFTER_MS - RESEND_CHECK_MS);
    scene.mark += 1;
  }
  assert.deepEqual(scene.sent, []);
});

test('when everything is held, nothing is sent, however long it is quiet', async () => {
  const scene = createScene(3);
  scene.mark = 3;
  await scene.run(10 * RESEND_AFTER_MS);
  assert.deepEqual(scene.sent, []);
  scene.batchCount = 4;
  await scene.run(RESEND_AFTER_MS - RESEND_CHECK_MS);
  assert.deepEqual(scene.sent, [], 'a batch that has just been made is not late');
});

test('a reconnection sends what was outstanding, without waiting', async () => {
  const scene = createScene(3);
  scene.connectionCount = 2;
  await scene.run(RESEND_CHECK_MS);
  assert.deepEqual(scene.sent, [1, 2, 3]);
});

test('a large backlog is sent in bounded turns, each batch once, in order', async () => {
  const scene = createScene(2 * RESEND_BATCHES_MAX + 7);
  scene.connectionCount = 2;
  const sentAfter: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await scene.run(RESEND_CHECK_MS);
    sentAfter.push(scene.sent.length);
  }
  assert.deepEqual(sentAfter, [RESEND_BATCHES_MAX, 2 * RESEND_BATCHES_MAX, scene.batchCount]);
  assert.deepEqual(scene.sent, countTo(scene.batchCount));
});

test('a mark that moves amid a backlog leaves no batch out', async () => {
  const scene = createScene(2 * RESEND_BATCHES_MAX);
  scene.connectionCount = 2;
  await scene.run(RESEND_CHECK_MS);
  scene.mark = 50;
  await scene.run(RESEND_AFTER_MS + RESEND_CHECK_MS);
  const missing = countTo(scene.batchCount).filter((number) => !scene.sent.includes(number));
  assert.deepEqual(missing, []);
  assert.ok(!scene.sent.slice(RESEND_BATCHES_MAX).includes(50), 'what is held is not sent again');
});

test('a mark that moves while the spool is read leaves no batch out', async () => {
  const scene = createScene(3 * RESEND_BATCHES_MAX);
  scene.connectionCount = 2;
  scene.amidReading = () => {
    scene.mark = 50;
    scene.amidReading = () => {};
  };
  await scene.run(4 * RESEND_CHECK_MS);
  assert.deepEqual([...new Set(scene.sent)], scene.sent, 'each once');
  const missing = countTo(scene.batchCount)
    .slice(50)
    .filter((number) => !scene.sent.includes(number));
  assert.deepEqual(missing, []);
});

test('what an earlier run left is sent as soon as there is a connection, though marks of this run move', async () => {
  const scene = createScene(3, 3);
  scene.room = 0;
  await scene.run(10 * RESEND_CHECK_MS);
  assert.deepEqual(scene.sent, []);
  scene.room = Infinity;
  await scene.run(RESEND_CHECK_MS);
  assert.deepEqual(scene.sent, [1, 2, 3]);
});

test('an old batch that was lost is sent again though newer ones come and go', async () => {
  const scene = createScene(3);
  for (let round = 0; round < RESEND_AFTER_MS / RESEND_CHECK_MS + 1; round += 1) {
    await scene.run(RESEND_CHECK_MS);
    scene.batchCount += 1;
  }
  assert.ok(scene.sent.includes(1));
});

test('a spool that cannot be read is told in the log and read again, from where it was', async () => {
  const scene = createScene(RESEND_BATCHES_MAX + 1);
  scene.connectionCount = 2;
  await scene.run(RESEND_CHECK_MS);
  scene.amidReading = () => {
    throw new CodedError('EIO', 'broken');
  };
  await scene.run(2 * RESEND_CHECK_MS);
  scene.amidReading = () => {};
  await scene.run(RESEND_CHECK_MS);
  assert.deepEqual(scene.codes, ['EIO', 'EIO']);
  assert.deepEqual(scene.sent, countTo(RESEND_BATCHES_MAX + 1));
});

test('while there is no connection nothing is lost, and the backlog follows when it is back', async () => {
  const scene = createScene(5);
  scene.room = 0;
  scene.publisher.publishLive(toBytes(5));
  await scene.run(10 * RESEND_AFTER_MS);
  assert.deepEqual(scene.sent, []);
  assert.equal(scene.publisher.resentCount, 0);
  Object.assign(scene, { room: Infinity, connectionCount: 2 });
  scene.publisher.publishLive(toBytes(6));
  await scene.run(RESEND_CHECK_MS);
  assert.deepEqual(scene.sent, [6, 1, 2, 3, 4, 5], 'live first');
});

test('a connection that breaks amid a backlog resumes where it broke', async () => {
  const scene = createScene(3);
  Object.assign(scene, { room: 2, connectionCount: 2 });
  await scene.run(RESEND_CHECK_MS);
  assert.deepEqual(scene.sent, [1, 2]);
  scene.room = Infinity;
  await scene.run(RESEND_CHECK_MS);
  assert.deepEqual(scene.sent, [1, 2, 3]);
});
