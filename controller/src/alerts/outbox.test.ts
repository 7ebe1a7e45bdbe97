// Facts about the outbox: events leave in order, each until it is stored, and a loss is counted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairIdOf, parseHostId, type CloudEvent } from '@foreshadow/model';
import { CodedError, type Clock } from '@foreshadow/runtime';
import {
  EVENTS_PENDING_MAX,
  RETRY_FIRST_MS,
  RETRY_MAX_MS,
  createOutbox,
  type Outbox,
} from './outbox.ts';

const [production, shadow] = [parseHostId('a'), parseHostId('b')];
assert.ok(production !== undefined && shadow !== undefined);
const pair = pairIdOf(production, shadow);

interface Scene {
  readonly outbox: Outbox;
  readonly stop: AbortController;
  /** What followers saw, and what the stream has stored. */
  readonly seen: string[];
  readonly stored: string[];
  readonly waitsMs: number[];
  readonly codes: unknown[];
  /** Throws, or not, for the attempt to publish an event. */
  attempt: (what: string) => void | Promise<void>;
}

function createScene(): Scene {
  const state: Omit<Scene, 'outbox'> = {
    stop: new AbortController(),
    seen: [],
    stored: [],
    waitsMs: [],
    codes: [],
    attempt: () => {},
  };
  const clock: Clock = {
    nowMs: () => assert.fail('nothing here depends on the time'),
    monotonicMs: () => 0,
    sleep: async (durationMs, signal) => {
      state.waitsMs.push(durationMs);
      signal?.throwIfAborted();
    },
    after: () => assert.fail('the outbox only sleeps'),
  };
  const log = (_message: string, fields?: { readonly code?: unknown }): number =>
    state.codes.push(fields?.code);
  const outbox = createOutbox({
    toCloudEvent: (event): CloudEvent => ({
      specversion: '1.0',
      id: event.what,
      source: '/test',
      type: event.family,
      subject: event.pair,
      time: '',
      datacontenttype: 'application/json',
      data: event.data,
    }),
    publish: async ({ id }) => {
      await state.attempt(id);
      state.stored.push(id);
    },
    onEvent: ({ id }) => state.seen.push(id),
    clock,
    random: () => 0.999,
    logger: { debug: () => {}, info: () => {}, warn: log, error: log },
  });
  return Object.assign(state, { outbox });
}

function emit(outbox: Outbox, ...names: readonly string[]): void {
  for (const what of names) outbox.emit({ family: 'incident', what, pair, atMs: 1, data: {} });
}
async function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  await promise;
}
const away = new CodedError('EVENT_NOT_STORED', 'no connection');

test('events are published in order, before and while it runs, and followers see them at once', async () => {
  const { outbox, seen, stored, stop } = createScene();
  emit(outbox, 'a', 'b');
  assert.deepEqual([seen, stored, outbox.pendingCount], [['a', 'b'], [], 2]);
  const running = outbox.run(stop.signal);
  await settle();
  emit(outbox, 'c');
  await settle();
  assert.deepEqual(stored, ['a', 'b', 'c']);
  assert.deepEqual([outbox.pendingCount, outbox.publishedCount, outbox.lostCount], [0, 3, 0]);
  stop.abort();
  await running;
});

test('an event that is not stored is tried again before any other, after growing waits', async () => {
  const scene = createScene();
  const { outbox, stored, stop, waitsMs } = scene;
  let failuresLeft = 12;
  scene.attempt = (what) => {
    if (what !== 'b' || failuresLeft === 0) return;
    failuresLeft -= 1;
    throw away;
  };
  emit(outbox, 'a', 'b', 'c');
  const running = outbox.run(stop.signal);
  while (stored.length < 3) await settle();
  assert.deepEqual(stored, ['a', 'b', 'c']);
  assert.equal(waitsMs.length, 12);
  assert.ok((waitsMs[0] ?? 0) <= 2 * RETRY_FIRST_MS);
  assert.equal(Math.ceil((waitsMs.at(-1) ?? 0) / 0.999), RETRY_MAX_MS);
  stop.abort();
  await running;
});

test('an event that is too large is lost for good, counted, and holds up no other', async () => {
  const scene = createScene();
  const { outbox, stored, stop, codes } = scene;
  scene.attempt = (what) => {
    if (what === 'large') throw new CodedError('EVENT_TOO_LARGE', 'too large');
  };
  emit(outbox, 'large', 'b');
  const running = outbox.run(stop.signal);
  await settle();
  assert.deepEqual(stored, ['b']);
  assert.deepEqual([outbox.lostCount, outbox.publishedCount, outbox.pendingCount], [1, 1, 0]);
  assert.deepEqual(codes, ['EVENT_TOO_LARGE']);
  emit(outbox, 'large', 'd');
  stop.abort();
  await running;
  assert.deepEqual(stored, ['b', 'd'], 'nor does it at the end');
});

test('beyond the bound the oldest event goes, and is counted as lost', () => {
  const { outbox, seen } = createScene();
  for (let number = 0; number < EVENTS_PENDING_MAX + 3; number += 1) emit(outbox, `e${number}`);
  assert.deepEqual([outbox.pendingCount, outbox.lostCount], [EVENTS_PENDING_MAX, 3]);
  assert.equal(seen.length, EVENTS_PENDING_MAX + 3);
});

test('an event pushed out by the bound while it is being published takes no other along', async () => {
  const scene = createScene();
  const { outbox, stored, stop } = scene;
  const gate = Promise.withResolvers<void>();
  scene.attempt = () => gate.promise;
  const names = Array.from({ length: EVENTS_PENDING_MAX + 1 }, (_, number) => `e${number}`);
  emit(outbox, ...names.slice(0, -1));
  const running = outbox.run(stop.signal);
  await settle();
  emit(outbox, ...names.slice(-1));
  gate.resolve();
  while (outbox.pendingCount > 0) await settle();
  assert.deepEqual(stored, names);
  stop.abort();
  await running;
});

test('at the end what is left is tried once more, and not waited for', async () => {
  const scene = createScene();
  const { outbox, stored, stop, waitsMs } = scene;
  scene.attempt = (what) => {
    if (what === 'b') throw away;
  };
  emit(outbox, 'a', 'b', 'c');
  stop.abort();
  await outbox.run(stop.signal);
  assert.deepEqual(stored, ['a']);
  assert.deepEqual(waitsMs, []);
  assert.equal(outbox.pendingCount, 2);
});

test('stopping ends a wait between two attempts', async () => {
  const scene = createScene();
  const { outbox, stop } = scene;
  scene.attempt = () => {
    stop.abort();
    throw away;
  };
  emit(outbox, 'a');
  await outbox.run(stop.signal);
  assert.equal(outbox.publishedCount, 0);
});
