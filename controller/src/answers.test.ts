// In: a loop that stands, a broker that is away. Out: proof that health and readiness say so.
// Never: opens a room.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  EVENTS_WAIT_MS_MAX,
  TICK_AGE_MS_MAX,
  createAnswers,
  type AnswerSources,
} from './answers.ts';

interface Given {
  readonly tickAgeMs: number;
  readonly isConnected: boolean;
  readonly waitingMs?: number;
}

function codesOf(given: Given): object {
  const outbox = { waitingMs: given.waitingMs ?? 0 };
  const rooms = { registry: {}, store: {}, incidents: {}, dispatch: {}, outbox };
  const pipeline = { tickAgeMs: given.tickAgeMs };
  const broker = { isConnected: given.isConnected };
  // All that health and readiness look at.
  const sources = { rooms, pipeline, broker } as unknown as AnswerSources;
  const answers = createAnswers(sources);
  return {
    health: answers.health().reasons.map(({ code }) => code),
    readiness: answers.readiness().reasons.map(({ code }) => code),
  };
}

test('what found no place is told as a number of its own', () => {
  const rooms = {
    ingest: { counters: () => ({ refusedCounts: new Map() }) },
    store: { counters: () => ({ refusedReadingCount: 1, refusedItemCount: 2 }) },
    registry: { list: () => [] },
    incidents: { suppressedCount: () => 3 },
    outbox: {},
  };
  // All that metrics look at.
  const sources = { rooms, pipeline: { lives: [] }, broker: {} } as unknown as AnswerSources;
  const values = new Map(
    createAnswers(sources)
      .metrics()
      .map(({ name, samples }) => [name, samples[0]?.value]),
  );
  assert.equal(values.get('foreshadow_store_readings_refused_total'), 1);
  assert.equal(values.get('foreshadow_store_items_refused_total'), 2);
  assert.equal(values.get('foreshadow_incidents_suppressed_total'), 3);
});

test('a loop that stands is neither healthy nor ready', () => {
  assert.deepEqual(codesOf({ tickAgeMs: TICK_AGE_MS_MAX + 1, isConnected: true }), {
    health: ['LOOP_STUCK'],
    readiness: ['LOOP_STUCK'],
  });
});

test('a broker that is away makes it unready and not unhealthy', () => {
  assert.deepEqual(codesOf({ tickAgeMs: TICK_AGE_MS_MAX, isConnected: false }), {
    health: [],
    readiness: ['BROKER_AWAY'],
  });
});

test('events that the broker does not take make it unready', () => {
  const well = { tickAgeMs: 0, isConnected: true };
  assert.deepEqual(codesOf({ ...well, waitingMs: EVENTS_WAIT_MS_MAX }), {
    health: [],
    readiness: [],
  });
  assert.deepEqual(codesOf({ ...well, waitingMs: EVENTS_WAIT_MS_MAX + 1 }), {
    health: [],
    readiness: ['EVENTS_WAIT'],
  });
});
