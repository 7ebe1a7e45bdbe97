// Proves the bounds and the counting of the event ring with a clock that stands still.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CloudEvent } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { EVENT_WAITERS_MAX, createEventRing } from './event-ring.ts';

const event: CloudEvent = {
  specversion: '1.0',
  id: 'e',
  source: '/c',
  type: 't',
  subject: 's',
  time: '2026-01-01T00:00:00Z',
  datacontenttype: 'application/json',
  data: {},
};
const never = new AbortController().signal;

function handClock(): { readonly clock: Clock; readonly ring: () => void } {
  const due = new Set<() => void>();
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep: async () => undefined,
    after: (_, call) => {
      due.add(call);
      return { cancel: () => due.delete(call) };
    },
  };
  return { clock, ring: () => due.forEach((call) => call()) };
}

test('following page by page gives every event once, or counts it as missed', async () => {
  const { clock } = handClock();
  const steps = fc.array(fc.oneof(fc.nat(5), fc.constant(-1)), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (plan, limit) => {
      const ring = createEventRing({ clock, capacity: 5 });
      let after = 0;
      let accounted = 0;
      let appended = 0;
      const read = async (): Promise<void> => {
        const page = await ring.read({ after, limit, waitMs: 0 }, never);
        accounted += page.items.length + page.missedCount;
        after = page.items.at(-1)?.sequence ?? after;
        assert.equal(accounted, after);
      };
      for (const step of plan) {
        if (step < 0) await read();
        for (let index = 0; index < step; index += 1) ring.append(event);
        appended += Math.max(0, step);
      }
      for (let index = 0; index <= appended; index += 1) await read();
      assert.equal(accounted, appended);
    }),
  );
});

test('a number from before a restart begins with the oldest event kept', async () => {
  const ring = createEventRing({ clock: handClock().clock });
  ring.append(event);
  const page = await ring.read({ after: 900, limit: 10, waitMs: 0 }, never);
  assert.deepEqual([page.items[0]?.sequence, page.missedCount], [1, 0]);
});

test('waiting ends at its limit and at an abort with an empty page', async () => {
  const { clock, ring: ringClock } = handClock();
  const events = createEventRing({ clock });
  const late = events.read({ after: 0, limit: 1, waitMs: 50 }, never);
  ringClock();
  assert.deepEqual(await late, { items: [], newest: 0, missedCount: 0 });
  const stop = new AbortController();
  const aborted = events.read({ after: 0, limit: 1, waitMs: 50 }, stop.signal);
  stop.abort();
  assert.deepEqual((await aborted).items, []);
});

test('one waiter too many is answered at once', async () => {
  const events = createEventRing({ clock: handClock().clock });
  const query = { after: 0, limit: 1, waitMs: 50 };
  const waiting = Array.from({ length: EVENT_WAITERS_MAX }, () => events.read(query, never));
  assert.deepEqual((await events.read(query, never)).items, []);
  events.append(event);
  for (const page of await Promise.all(waiting)) assert.equal(page.items.length, 1);
});
