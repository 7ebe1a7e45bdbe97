// Facts about the link: one stream at a time, again and again; every command has one answer, even
// when its stream is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBootId, parseCommandId, parseHostId, type Outcome } from '@foreshadow/model';
import { CodedError, type Clock, type LogFields } from '@foreshadow/runtime';
import type { AgentMessage, ControllerMessage, Hello, TravellingCommand } from '@foreshadow/wire';
import { COMMANDS_AT_ONCE_MAX, OUTCOMES_RETOLD_MAX } from './commands.ts';
import {
  RECONNECT_FIRST_MS,
  RECONNECT_MAX_MS,
  STREAM_GOOD_MS,
  runLink,
  type LinkOptions,
} from './link.ts';
import { COMMAND_STALL_MS, HEARTBEAT_MS } from './stall.ts';

const host = parseHostId('web-1');
const boot = parseBootId('0123456789abcdef');
assert.ok(host !== undefined && boot !== undefined);
const hello: Hello = {
  host,
  boot,
  protocolVersion: 1,
  role: 'shadow',
  scope: 'host',
  agentVersion: '1',
  labels: {},
  inventory: {},
};
const lost = new CodedError('CONTROL_STREAM_LOST', 'gone');
const done: Outcome = { kind: 'done', tookMs: 1, sentence: 'Done.', details: {} };

/** The controller's end of the streams that the link opens. */
interface Dialled {
  readonly said: AgentMessage[];
  readonly hear: (message: ControllerMessage) => void;
  readonly end: (error?: CodedError) => void;
  isClosed: boolean;
}

interface Scene {
  readonly streams: Dialled[];
  readonly waitsMs: number[];
  readonly reasons: unknown[];
  readonly running: Promise<void>;
  readonly stop: AbortController;
  readonly newest: () => Dialled;
  readonly advance: (durationMs: number) => void;
  /** Time passes, and then the timers find out. */
  readonly beatAfter: (durationMs: number) => void;
  readonly isBeating: () => boolean;
  /** Until the link has opened so many streams. */
  readonly opened: (count: number) => Promise<Dialled>;
}

/** @param random of the jitter, 0.999 by default: almost the longest wait */
function start(change: Partial<LinkOptions> = {}): Scene {
  let nowMs = 0;
  const [streams, waitsMs, reasons]: [Dialled[], number[], unknown[]] = [[], [], []];
  const stop = new AbortController();
  let beat: (() => void) | undefined;
  const clock: Clock = {
    nowMs: () => assert.fail('durations only'),
    monotonicMs: () => nowMs,
    sleep: async (durationMs) => {
      waitsMs.push(durationMs);
      nowMs += durationMs;
    },
    after: (durationMs, call) => {
      assert.equal(durationMs, HEARTBEAT_MS);
      beat = call;
      return { cancel: () => (beat = undefined) };
    },
  };
  const warn = (_message: string, fields?: LogFields): number => reasons.push(fields?.['reason']);
  const options: LinkOptions = {
    dial: ({ onMessage, onEnd }) => {
      const stream: Dialled = { said: [], hear: onMessage, end: onEnd, isClosed: false };
      streams.push(stream);
      return {
        send: (message) => void stream.said.push(message),
        close: () => {
          stream.isClosed = true;
          onEnd(lost);
        },
      };
    },
    hello: () => hello,
    onWelcome: () => assert.fail('no welcome was sent'),
    onMark: () => assert.fail('no mark was sent'),
    onSnapshotRequest: () => assert.fail('no request was sent'),
    onCommand: async () => done,
    clock,
    random: () => 0.999,
    logger: { debug: () => {}, info: () => {}, warn, error: warn },
    ...change,
  };
  const newest = (): Dialled => streams.at(-1) ?? assert.fail('no stream was opened');
  return {
    streams,
    waitsMs,
    reasons,
    stop,
    newest,
    running: runLink(options, stop.signal),
    advance: (durationMs) => (nowMs += durationMs),
    beatAfter: (durationMs) => {
      nowMs += durationMs;
      beat?.();
    },
    isBeating: () => beat !== undefined,
    opened: async (count) => {
      while (streams.length < count) await settle();
      return newest();
    },
  };
}

/** Lets promises that are ready go on. */
async function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  await promise;
}

function commandOf(number: number): TravellingCommand {
  const id = parseCommandId(`cmd-${String(number).padStart(12, '0')}`);
  assert.ok(id !== undefined);
  const order = { kind: 'mark-known-good' } as const;
  return { id, order, isDryRun: true, requestedBy: 'a test', reason: 'x', timeLimitMs: 9 };
}
const outcomeOf = (number: number, outcome: Outcome): AgentMessage => ({
  kind: 'outcome',
  command: commandOf(number).id,
  outcome,
});
const order = (number: number): ControllerMessage => ({
  kind: 'command',
  command: commandOf(number),
});

test('the first thing said on every stream is hello, and said once', async () => {
  const scene = start();
  scene.newest().end(lost);
  await scene.opened(2);
  for (const { said } of scene.streams) assert.deepEqual(said, [{ kind: 'hello', hello }]);
});

test('each kind of message reaches who handles it', async () => {
  const heard: unknown[] = [];
  const { newest } = start({
    onWelcome: (welcome) => heard.push(welcome),
    onMark: (mark) => heard.push(mark),
    onSnapshotRequest: () => heard.push('snapshot'),
  });
  const welcome = { protocolVersion: 1, controllerVersion: '1', partition: '0' };
  const mark = { boot, sequence: 7 };
  newest().hear({ kind: 'welcome', welcome });
  newest().hear({ kind: 'low-water-mark', mark });
  newest().hear({ kind: 'snapshot-request' });
  assert.deepEqual(heard, [welcome, mark, 'snapshot']);
});

test('a lost stream is dialled again, after waits that grow to a bound, with jitter', async () => {
  const scene = start();
  for (let count = 1; count <= 8; count += 1) {
    scene.newest().end(count % 2 === 0 ? lost : undefined);
    await scene.opened(count + 1);
  }
  const ceilings = scene.waitsMs.map((waitMs) => Math.ceil(waitMs / 0.999));
  const doubled = scene.waitsMs.map((_, index) => RECONNECT_FIRST_MS * 2 ** (index + 1));
  assert.deepEqual(
    ceilings,
    doubled.map((waitMs) => Math.min(waitMs, RECONNECT_MAX_MS)),
  );
  assert.equal(ceilings.at(-1), RECONNECT_MAX_MS);
  assert.deepEqual(scene.reasons.slice(0, 2), ['ended by the controller', 'gone']);
  const early = start({ random: () => 0 });
  early.newest().end(lost);
  await early.opened(2);
  assert.deepEqual(early.waitsMs, [0]);
});

test('after a stream that lasted, the waits begin with the shortest again', async () => {
  const scene = start();
  for (let count = 1; count <= 4; count += 1) {
    scene.newest().end(lost);
    await scene.opened(count + 1);
  }
  scene.advance(STREAM_GOOD_MS);
  scene.newest().end(lost);
  await scene.opened(6);
  assert.equal(Math.ceil((scene.waitsMs.at(-1) ?? 0) / 0.999), RECONNECT_FIRST_MS);
});

test('a command is answered by its receipt at once, and by its outcome when it has ended', async () => {
  const ended = Promise.withResolvers<Outcome>();
  const { newest } = start({ onCommand: () => ended.promise });
  newest().hear(order(1));
  assert.deepEqual(newest().said.slice(1), [{ kind: 'receipt', command: commandOf(1).id }]);
  ended.resolve(done);
  await settle();
  assert.deepEqual(newest().said.slice(2), [outcomeOf(1, done)]);
});

test('one command too many at once is refused with HOST_BUSY, and never queued', async () => {
  const waiting: ((outcome: Outcome) => void)[] = [];
  const onCommand = async (): Promise<Outcome> => {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    waiting.push(resolve);
    return promise;
  };
  const { newest } = start({ onCommand });
  for (let number = 1; number <= COMMANDS_AT_ONCE_MAX + 1; number += 1)
    newest().hear(order(number));
  const refusal = newest().said.at(-1);
  assert.ok(refusal?.kind === 'outcome' && refusal.outcome.kind === 'refused');
  assert.equal(refusal.outcome.code, 'HOST_BUSY');
  assert.equal(refusal.command, commandOf(COMMANDS_AT_ONCE_MAX + 1).id);
  for (const end of waiting.splice(0)) end(done);
  await settle();
  newest().hear(order(9));
  assert.equal(waiting.length, 1, 'there is room again');
});

test('a handler that throws is a failed command with COMMAND_HANDLER_FAILED, and frees its place', async () => {
  const onCommand = async (): Promise<Outcome> => {
    throw new CodedError('TEST_CODE', 'not today');
  };
  const { newest } = start({ onCommand });
  for (let number = 1; number <= 3 * COMMANDS_AT_ONCE_MAX; number += 1) {
    newest().hear(order(number));
    await settle();
    const last = newest().said.at(-1);
    assert.ok(last?.kind === 'outcome' && last.outcome.kind === 'failed');
    assert.equal(last.outcome.code, 'COMMAND_HANDLER_FAILED');
    assert.match(last.outcome.sentence, /not today/);
  }
});

test('a command goes on when its stream is lost, and its outcome is told on the next one', async () => {
  const signals: AbortSignal[] = [];
  const ended = Promise.withResolvers<Outcome>();
  const scene = start({
    onCommand: (_command, signal) => {
      signals.push(signal);
      return ended.promise;
    },
  });
  scene.newest().hear(order(1));
  scene.newest().end(lost);
  const second = await scene.opened(2);
  assert.equal(signals[0]?.aborted, false);
  ended.resolve(done);
  await settle();
  assert.deepEqual(second.said, [{ kind: 'hello', hello }, outcomeOf(1, done)]);
  scene.stop.abort();
  assert.equal(signals[0]?.aborted, true);
});

test('an outcome of the time between two streams is told right after the next hello', async () => {
  const ended = Promise.withResolvers<Outcome>();
  const scene = start({ onCommand: () => ended.promise });
  scene.newest().hear(order(1));
  scene.newest().end(lost);
  ended.resolve(done);
  assert.deepEqual((await scene.opened(2)).said, [{ kind: 'hello', hello }, outcomeOf(1, done)]);
});

test('of the outcomes told before, the newest few are told again, and none that is unknown', async () => {
  const unknown: Outcome = { kind: 'unknown', sentence: 'No answer.' };
  const outcomes = [unknown, ...Array.from({ length: OUTCOMES_RETOLD_MAX + 1 }, () => done)];
  const scene = start({ onCommand: async () => outcomes.pop() ?? assert.fail('one too many') });
  for (let number = 1; number <= OUTCOMES_RETOLD_MAX + 2; number += 1) {
    scene.newest().hear(order(number));
    await settle();
  }
  assert.ok(scene.newest().said.some((message) => message.kind === 'outcome'));
  scene.newest().end(lost);
  const { said } = await scene.opened(2);
  const numbers = Array.from({ length: OUTCOMES_RETOLD_MAX }, (_, index) => index + 2);
  assert.deepEqual(
    said.slice(1),
    numbers.map((number) => outcomeOf(number, done)),
  );
});

test('what an agent that was stopped reads on resuming is refused with COMMAND_EXPIRED, not done', async () => {
  const asked: string[] = [];
  const onCommand = async ({ id }: TravellingCommand): Promise<Outcome> => {
    asked.push(id);
    return done;
  };
  const scene = start({ onCommand });
  scene.beatAfter(HEARTBEAT_MS);
  scene.advance(600_000);
  scene.newest().hear(order(1)); // The loop may read its sockets before its timers, …
  scene.beatAfter(0);
  scene.newest().hear(order(2)); // … or after them.
  const [first, second] = scene.newest().said.slice(1);
  for (const refusal of [first, second]) {
    assert.ok(refusal?.kind === 'outcome' && refusal.outcome.kind === 'refused');
    assert.equal(refusal.outcome.code, 'COMMAND_EXPIRED');
    assert.match(refusal.outcome.sentence, /did not run for 60\d s/);
  }
  scene.beatAfter(HEARTBEAT_MS);
  scene.newest().hear(order(3));
  scene.beatAfter(COMMAND_STALL_MS);
  scene.newest().hear(order(4));
  assert.deepEqual(asked, [commandOf(3).id, commandOf(4).id], 'a late timer is no stall');
});

test('stopping closes the stream and dials no other', async () => {
  const scene = start();
  scene.stop.abort();
  await scene.running;
  assert.equal(scene.newest().isClosed, true);
  assert.equal(scene.streams.length, 1);
  assert.deepEqual(scene.waitsMs, []);
  assert.equal(scene.isBeating(), false);
});
