// Facts about the sampler: units cannot harm each other, and what they report is finite and
// bounded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { READINGS_PER_BATCH_MAX, type Host } from '@foreshadow/model';
import { CodedError, type Clock } from '@foreshadow/runtime';
import { createSampler, DONE_REPORTS_EVERY_MS, type SampledUnit, type Sampler } from './sampler.ts';

const host: Host = {
  readBytes: () => undefined,
  readOnce: () => undefined,
  list: () => undefined,
  statFilesystem: async () => undefined,
  inventory: async () => ({}),
};
const signal = new AbortController().signal;

/** A clock that stands until it is told; `advance` calls what is due. */
function createStandingClock(): Clock & { advance(durationMs: number): void } {
  let nowMs = 1_000;
  const timers = new Map<() => void, number>();
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async () => undefined,
    after(durationMs, call) {
      timers.set(call, nowMs + durationMs);
      return { cancel: () => void timers.delete(call) };
    },
    advance(durationMs) {
      nowMs += durationMs;
      for (const [call, dueMs] of timers) if (dueMs <= nowMs) call();
    },
  };
}

function scene(...collectors: SampledUnit[]): {
  sampler: Sampler;
  clock: ReturnType<typeof createStandingClock>;
} {
  const clock = createStandingClock();
  return { clock, sampler: createSampler({ host, collectors, clock, unitTimeLimitMs: 500 }) };
}

const steady: SampledUnit = {
  name: 'steady',
  collect: (_, report) => report('tasks', 7),
};

test('readings of all units come together, with their instances', async () => {
  const { sampler } = scene(steady, {
    name: 'slow',
    async collect(_, report) {
      await Promise.resolve();
      report('disk_reads_total', 1, 'sda');
    },
  });
  assert.deepEqual((await sampler.tick(signal)).readings, [
    { metric: 'tasks', value: 7 },
    { metric: 'disk_reads_total', instance: 'sda', value: 1 },
  ]);
});

test('a unit that throws is reported with its code, and stops nobody', async () => {
  const { sampler } = scene(
    {
      name: 'throwing',
      collect(_, report) {
        report('load_average_1m', 0.5);
        throw new CodedError('TEST_CODE', 'test');
      },
    },
    {
      name: 'rejecting',
      collect: async () => {
        throw new TypeError('test');
      },
    },
    steady,
  );
  const tick = await sampler.tick(signal);
  assert.deepEqual(tick.readings, [
    { metric: 'load_average_1m', value: 0.5 },
    { metric: 'tasks', value: 7 },
  ]);
  assert.deepEqual(
    tick.units.map(({ unit, result, errorCode }) => [unit, result, errorCode]),
    [
      ['throwing', 'failed', 'TEST_CODE'],
      ['rejecting', 'failed', 'UNEXPECTED'],
      ['steady', 'done', undefined],
    ],
  );
});

test('a number that is not finite is dropped and fails its unit', async () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const { sampler } = scene({
      name: 'wild',
      collect(_, report) {
        report('tasks', value);
        report('tasks_runnable', 1);
      },
    });
    const { readings, units } = await sampler.tick(signal);
    assert.deepEqual(readings, [{ metric: 'tasks_runnable', value: 1 }]);
    assert.equal(units[0]?.errorCode, 'READING_NOT_FINITE');
  }
});

test('readings beyond the bound of a batch are dropped and fail their unit', async () => {
  const { sampler } = scene({
    name: 'endless',
    collect(_, report) {
      for (let index = 0; index <= READINGS_PER_BATCH_MAX; index += 1)
        report('disk_reads_total', index, `disk${index}`);
    },
  });
  const { readings, units } = await sampler.tick(signal);
  assert.equal(readings.length, READINGS_PER_BATCH_MAX);
  assert.equal(units[0]?.errorCode, 'READINGS_OVER_BOUND');
});

test('a unit that hangs is reported so, is not started again until it ends, and its late readings are dropped', async () => {
  const gate = Promise.withResolvers<void>();
  let startCount = 0;
  const { sampler, clock } = scene(
    {
      name: 'stuck',
      async collect(_, report) {
        startCount += 1;
        report('filesystem_files', 1, '/');
        if (startCount === 1) await gate.promise;
        report('filesystem_files', 2, '/late');
      },
    },
    steady,
  );
  const first = sampler.tick(signal);
  clock.advance(500);
  assert.deepEqual(
    (await first).units.map(({ result, durationMs }) => [result, durationMs]),
    [
      ['hanging', 500],
      ['done', 0],
    ],
  );
  assert.deepEqual(
    (await first).readings.map(({ instance }) => instance),
    ['/', undefined],
  );

  clock.advance(1_000);
  const second = await sampler.tick(signal);
  assert.equal(startCount, 1);
  assert.deepEqual(second.units, [
    { unit: 'stuck', result: 'hanging', durationMs: 1_500, errorCode: 'UNIT_HANGING' },
  ]);
  assert.deepEqual(second.readings, [{ metric: 'tasks', value: 7 }]);

  gate.resolve();
  await new Promise(setImmediate);
  assert.equal((await first).readings.length, 2);
  const third = await sampler.tick(signal);
  assert.equal(startCount, 2);
  assert.deepEqual(
    third.units.map(({ unit, result }) => [unit, result]),
    [['stuck', 'done']],
  );
  assert.equal(third.readings.length, 3);
});

test('an abort ends the waiting', async () => {
  const stop = new AbortController();
  const { sampler } = scene(steady, { name: 'stuck', collect: () => new Promise(() => undefined) });
  const tick = sampler.tick(stop.signal);
  stop.abort();
  assert.equal((await tick).readings.length, 1);
  assert.equal((await sampler.tick(stop.signal)).units[0]?.result, 'hanging');
});

test('done is reported first, once a minute, and at once after a failure', async () => {
  let isBroken = false;
  const { sampler, clock } = scene(steady, {
    name: 'sometimes',
    collect() {
      if (isBroken) throw new CodedError('TEST_CODE', 'test');
    },
  });
  const expectUnits = async (...expected: string[]): Promise<void> => {
    const { units } = await sampler.tick(signal);
    assert.deepEqual(
      units.map(({ unit, result }) => `${unit} ${result}`),
      expected,
    );
  };
  await expectUnits('steady done', 'sometimes done');
  await expectUnits();
  isBroken = true;
  await expectUnits('sometimes failed');
  await expectUnits('sometimes failed');
  isBroken = false;
  await expectUnits('sometimes done');
  await expectUnits();
  clock.advance(DONE_REPORTS_EVERY_MS);
  await expectUnits('steady done', 'sometimes done');
});
