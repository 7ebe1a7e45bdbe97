// Facts about the agent's loop: batches in order, nothing lost silently, every command answered.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Batch,
  BootId,
  CommandId,
  FingerprintReport,
  Gap,
  HostId,
  Outcome,
} from '@foreshadow/model';
import { CodedError, type Clock, type Logger } from '@foreshadow/runtime';
import { decodeBatch, type TravellingCommand } from '@foreshadow/wire';
import {
  ACTUATOR_ASK_AGAIN_MS,
  PARTS_WAITING_MAX,
  Pipeline,
  UNIT_REPORTS_WAITING_MAX,
  type Rooms,
} from './pipeline.ts';

// As the parsers would let through.
const [host, boot] = ['web-1' as HostId, '0123456789abcdef' as BootId];
const commandId = 'cmd-0123456789ab' as CommandId;
const INTERVAL_MS = 1_000;
const done: Outcome = { kind: 'done', tookMs: 1, sentence: 'Done.', details: {} };
const unreachable: Outcome = { kind: 'refused', code: 'ACTUATOR_UNREACHABLE', sentence: 'No.' };
const unknown: Outcome = { kind: 'unknown', sentence: 'No answer.' };
const command: TravellingCommand = {
  id: commandId,
  order: { kind: 'mark-known-good' },
  isDryRun: false,
  requestedBy: 'a test',
  reason: 'because',
  timeLimitMs: 10_000,
};

interface Scene {
  readonly pipeline: Pipeline;
  readonly rooms: Rooms;
  /** What the spool has kept, and what was published after it. */
  readonly kept: Batch[];
  readonly published: Batch[];
  readonly calls: string[];
  readonly codes: unknown[];
  readonly stop: AbortController;
  readonly gaps: Gap[];
  failingAppends: number;
  droppedCount: number;
  /** The time that the actuator was given with each question. */
  readonly limitsMs: number[];
  /** Answers of the actuator, first to last; the last one stays. */
  outcomes: Outcome[];
  /** Runs the loop for so many ticks. */
  readonly run: (tickCount: number) => Promise<void>;
}

function createScene(): Scene {
  let nowMs = 1_800_000_000_000;
  let sleepsLeft = Infinity;
  const stop = new AbortController();
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (durationMs, signal) => {
      await settle();
      if (sleepsLeft === 0) stop.abort(new CodedError('STOPPED', 'the scene is over'));
      signal?.throwIfAborted();
      sleepsLeft -= 1;
      nowMs += durationMs;
    },
    after: () => assert.fail('the pipeline only sleeps'),
  };
  const log: Logger['error'] = (_message, fields) => state.codes.push(fields?.['code']);
  const state = {
    kept: [] as Batch[],
    published: [] as Batch[],
    calls: [] as string[],
    codes: [] as unknown[],
    gaps: [] as Gap[],
    droppedCount: 0,
    failingAppends: 0,
    limitsMs: [] as number[],
    outcomes: [done],
    stop,
  };
  const rooms = createRooms(state);
  const logger = { debug: log, info: () => {}, warn: log, error: log };
  const pipeline = new Pipeline({ rooms, host, boot, intervalMs: INTERVAL_MS, clock, logger });
  const run = async (tickCount: number): Promise<void> => {
    sleepsLeft = tickCount;
    await pipeline.run(stop.signal);
  };
  return Object.assign(state, { pipeline, rooms, run });
}

function createRooms(state: Omit<Scene, 'pipeline' | 'rooms' | 'run'>): Rooms {
  return {
    sampler: {
      tick: async () => ({
        readings: [{ metric: 'tasks', value: 7 }],
        units: [{ unit: 'load', result: 'done', durationMs: 1 }],
      }),
    },
    fingerprints: () => ({
      itemCount: 0,
      requestSnapshot: () => state.calls.push('snapshot'),
      [Symbol.asyncDispose]: async () => {},
    }),
    spool: {
      append: async (_sequence, bytes) => {
        state.failingAppends -= 1;
        if (state.failingAppends >= 0) throw new CodedError('ENOSPC', 'full');
        state.kept.push(decodeBatch(bytes));
      },
      get droppedCount() {
        return state.droppedCount;
      },
      gaps: () => state.gaps,
      gapsTold: (told) => void state.gaps.splice(0, told.length),
      trim: async ({ sequence }) => {
        state.calls.push(`trim ${sequence}`);
        if (sequence === 666) throw new CodedError('EIO', 'broken');
      },
    },
    publisher: {
      publishLive: (bytes) => {
        const batch = decodeBatch(bytes);
        assert.ok(state.kept.some(({ sequence }) => sequence === batch.sequence));
        state.published.push(batch);
      },
      run: async () => {},
      resentCount: 0,
    },
    actuator: {
      execute: async ({ timeLimitMs }) => {
        state.calls.push('asked');
        state.limitsMs.push(timeLimitMs);
        return (state.outcomes.length > 1 ? state.outcomes.shift() : state.outcomes[0]) ?? done;
      },
    },
  };
}

async function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  await promise;
}

const report = (snapshotId: number): FingerprintReport => ({
  mode: 'snapshot',
  snapshotId,
  partIndex: 0,
  partCount: 1,
  changes: [],
});
const countTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

test('ticks, reports and events become batches 1, 2, 3, … in the order in which they came', async () => {
  const { pipeline, run, kept, published } = createScene();
  pipeline.onReport(report(5));
  pipeline.onEvent({ kind: 'x', atMs: 1, sentence: 'It was so.', details: {} });
  await run(3);
  assert.deepEqual(
    kept.map(({ sequence }) => sequence),
    countTo(5),
  );
  assert.deepEqual(published, kept);
  assert.equal(kept[0]?.fingerprints?.snapshotId, 5);
  assert.equal(kept[1]?.events[0]?.sentence, 'It was so.');
  assert.deepEqual(
    kept.slice(2).map(({ readings }) => readings.length),
    [1, 1, 1],
  );
  assert.deepEqual(
    kept.slice(2).map(({ wallMs }) => wallMs % INTERVAL_MS),
    [0, 0, 0],
  );
  assert.ok(kept.every((batch) => batch.host === host && batch.boot === boot));
});

test('a batch that the disk refuses uses up no sequence number, and the next one is kept', async () => {
  const scene = createScene();
  scene.failingAppends = 2;
  await scene.run(4);
  assert.deepEqual(
    scene.kept.map(({ sequence }) => sequence),
    [1, 2],
  );
  assert.deepEqual(
    scene.published.map(({ sequence }) => sequence),
    [1, 2],
  );
  assert.deepEqual(scene.codes, ['ENOSPC', 'ENOSPC']);
});

test('a report that the disk refused, or a full spool dropped, is made good by a snapshot', async () => {
  const refused = createScene();
  refused.failingAppends = 1;
  refused.pipeline.onReport(report(1));
  await refused.run(3);
  assert.deepEqual(refused.calls, ['snapshot']);
  const dropped = createScene();
  dropped.droppedCount = 7;
  await dropped.run(4);
  assert.deepEqual(dropped.calls, ['snapshot']);
});

test('beyond the bound reports are left out, and one snapshot is asked for when there is room', async () => {
  const { pipeline, run, kept, calls } = createScene();
  for (let id = 1; id <= PARTS_WAITING_MAX + 20; id += 1) pipeline.onReport(report(id));
  assert.deepEqual(calls, []);
  await run(3);
  assert.equal(
    kept.filter(({ fingerprints }) => fingerprints !== undefined).length,
    PARTS_WAITING_MAX,
  );
  assert.deepEqual(calls, ['snapshot']);
});

test('reports of units wait for the next tick, and only the newest few', async () => {
  const { pipeline, run, kept } = createScene();
  for (let number = 0; number < 2 * UNIT_REPORTS_WAITING_MAX; number += 1)
    pipeline.onUnit({ unit: `unit-${number}`, result: 'done', durationMs: 1 });
  pipeline.onReport(report(1));
  await run(2);
  assert.deepEqual(kept[0]?.units, []);
  assert.equal(kept[1]?.units.length, 1 + UNIT_REPORTS_WAITING_MAX);
  assert.equal(kept[1]?.units.at(-1)?.unit, `unit-${2 * UNIT_REPORTS_WAITING_MAX - 1}`);
  assert.equal(kept[2]?.units.length, 1);
});

/** Ticks, events and unit reports lost, as each `agent-loss` says. */
function lossesIn(batches: readonly Batch[]): readonly (readonly number[])[] {
  return batches
    .flatMap(({ events }) => events)
    .filter(({ kind }) => kind === 'agent-loss')
    .map(({ details }) => ['ticks', 'events', 'unitReports'].map((kind) => Number(details[kind])));
}

test('events and reports of units that find no room are counted, and told once with a tick', async () => {
  const { pipeline, run, kept } = createScene();
  for (let number = 1; number <= PARTS_WAITING_MAX + 20; number += 1)
    pipeline.onEvent({ kind: 'x', atMs: number, sentence: 'It was so.', details: {} });
  for (let number = 0; number < UNIT_REPORTS_WAITING_MAX + 3; number += 1)
    pipeline.onUnit({ unit: `unit-${number}`, result: 'done', durationMs: 1 });
  await run(3);
  assert.deepEqual(lossesIn(kept), [[0, 20, 3]]);
});

test('ticks and events that the disk refused are counted, and told when it takes a batch again', async () => {
  const scene = createScene();
  scene.pipeline.onEvent({ kind: 'x', atMs: 1, sentence: 'It was so.', details: {} });
  scene.failingAppends = 3;
  await scene.run(4);
  assert.deepEqual(lossesIn(scene.kept), [[2, 1, 0]]);
  assert.equal(scene.kept[0]?.sequence, 1);
});

test('ticks that find no room are counted', async () => {
  const { pipeline, rooms, run, kept } = createScene();
  const { promise: isWritten, resolve: write } = Promise.withResolvers<void>();
  const { append } = rooms.spool;
  Object.assign(rooms.spool, {
    append: async (sequence: number, bytes: Uint8Array) => {
      await isWritten;
      await append(sequence, bytes);
    },
  });
  pipeline.onReport(report(1));
  const running = run(5);
  await settle(); // The disk has the report, and the queue is empty again.
  for (let id = 1; id <= PARTS_WAITING_MAX; id += 1) pipeline.onReport(report(id));
  await settle();
  await settle();
  write();
  await running;
  assert.deepEqual(lossesIn(kept), [[2, 0, 0]]);
});

test('a report of a unit that comes while a tick is written travels with the next tick', async () => {
  const { pipeline, rooms, run, kept } = createScene();
  const { append } = rooms.spool;
  Object.assign(rooms.spool, {
    append: async (sequence: number, bytes: Uint8Array) => {
      if (sequence === 1) pipeline.onUnit({ unit: 'files', result: 'done', durationMs: 1 });
      await append(sequence, bytes);
    },
  });
  await run(2);
  assert.deepEqual(
    kept.map(({ units }) => units.map(({ unit }) => unit)),
    [['load'], ['load', 'files']],
  );
});

test('a gap travels with the next batch that is kept, and with no other', async () => {
  const scene = createScene();
  scene.gaps.push({ boot, firstSequence: 1, lastSequence: 9 });
  scene.failingAppends = 1;
  await scene.run(3);
  assert.deepEqual(
    scene.kept.map(({ gaps }) => gaps.length),
    [1, 0],
  );
  assert.deepEqual(scene.kept[0]?.gaps, [{ boot, firstSequence: 1, lastSequence: 9 }]);
});

test('what waits when the agent stops is still kept', async () => {
  const { pipeline, run, kept, stop } = createScene();
  stop.abort();
  pipeline.onEvent({ kind: 'x', atMs: 1, sentence: 'The last word.', details: {} });
  await run(0);
  assert.equal(kept[0]?.events[0]?.sentence, 'The last word.');
});

test('a loop that fails ends the agent', async () => {
  const { pipeline, rooms, stop } = createScene();
  rooms.publisher.run = async () => {
    throw new CodedError('TEST_CODE', 'test');
  };
  const running = pipeline.run(stop.signal);
  await assert.rejects(running, { code: 'TEST_CODE' });
  stop.abort();
});

test('a mark trims the spool, and a failing trim does no harm', async () => {
  const { pipeline, calls, codes } = createScene();
  pipeline.onMark({ boot, sequence: 3 });
  pipeline.onMark({ boot, sequence: 666 });
  await settle();
  assert.deepEqual(calls, ['trim 3', 'trim 666']);
  assert.equal(codes.length, 1);
});

test('an actuator that does not answer is asked again, and its answer counts', async () => {
  const scene = createScene();
  scene.outcomes = [unknown, unknown, done];
  assert.deepEqual(await scene.pipeline.onCommand(command, scene.stop.signal), done);
  assert.deepEqual(scene.calls, ['asked', 'asked', 'asked']);
});

test('an actuator that never answers is asked until the time of the command is over', async () => {
  const scene = createScene();
  scene.outcomes = [unknown];
  assert.deepEqual(await scene.pipeline.onCommand(command, scene.stop.signal), unknown);
  assert.equal(scene.calls.length, command.timeLimitMs / ACTUATOR_ASK_AGAIN_MS);
});

test('after a question without answer, an actuator that is away or busy is asked again', async () => {
  for (const code of ['ACTUATOR_UNREACHABLE', 'ACTUATOR_BUSY', 'TRANSACTION_OPEN']) {
    const scene = createScene();
    scene.outcomes = [unknown, { kind: 'refused', code, sentence: 'No.' }, done];
    assert.deepEqual(await scene.pipeline.onCommand(command, scene.stop.signal), done);
    assert.equal(scene.calls.length, 3);
  }
});

test('a command that was asked once without answer stays unknown when the actuator is gone', async () => {
  const scene = createScene();
  scene.outcomes = [unknown, unreachable];
  assert.deepEqual(await scene.pipeline.onCommand(command, scene.stop.signal), unknown);
});

test('each question to the actuator carries what is left of the time of the command', async () => {
  const scene = createScene();
  scene.outcomes = [unknown, unreachable, unknown, done];
  await scene.pipeline.onCommand(command, scene.stop.signal);
  const elapsed = [0, 1, 2, 3].map((count) => count * ACTUATOR_ASK_AGAIN_MS);
  assert.deepEqual(
    scene.limitsMs,
    elapsed.map((elapsedMs) => command.timeLimitMs - elapsedMs),
  );
});

test('a refusal is an answer, and is not asked about twice', async () => {
  const scene = createScene();
  scene.outcomes = [{ kind: 'refused', code: 'TEST_CODE', sentence: 'No.' }];
  const outcome = await scene.pipeline.onCommand(command, scene.stop.signal);
  assert.equal(outcome.kind, 'refused');
  assert.deepEqual(scene.calls, ['asked']);
});

test('what became of a command is a host event, even when its stream ended meanwhile', async () => {
  const scene = createScene();
  scene.outcomes = [unknown];
  const ended = new AbortController();
  ended.abort();
  assert.deepEqual(await scene.pipeline.onCommand(command, ended.signal), unknown);
  scene.outcomes = [done];
  await scene.pipeline.onCommand(command, scene.stop.signal);
  await scene.run(1);
  const told = scene.kept.flatMap(({ events }) => events.map(({ kind }) => kind));
  assert.deepEqual(told, ['command-unknown', 'command-done']);
  assert.equal(scene.kept[0]?.events[0]?.details['command'], command.id);
});
