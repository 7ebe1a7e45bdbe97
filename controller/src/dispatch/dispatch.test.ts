// Facts about dispatch: a command is sent once or refused now, and silence is never called failure.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseCommandId,
  parseHostId,
  type Command,
  type CommandId,
  type CommandRecord,
  type HostId,
  type Outcome,
} from '@foreshadow/model';
import { CodedError, type Clock } from '@foreshadow/runtime';
import {
  ANSWER_GRACE_MS,
  COMMANDS_KEPT_MAX,
  COMMAND_TIME_LIMIT_MS,
  RECEIPT_LIMIT_MS,
  createDispatch,
  type CommandRequest,
  type CommandStream,
  type Dispatch,
} from './dispatch.ts';

function required<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}
const host = required(parseHostId('web-1'));
const other = required(parseHostId('web-2'));
const done: Outcome = { kind: 'done', tookMs: 1, sentence: 'Done.', details: {} };
const refused: Outcome = { kind: 'refused', code: 'TEST_CODE', sentence: 'No.' };

function idOf(number: number): CommandId {
  return required(parseCommandId(`cmd-${String(number).padStart(12, '0')}`));
}

interface Scene {
  readonly dispatch: Dispatch;
  /** What happened, in order: `persist sent`, `send`, `change ended`, … */
  readonly steps: string[];
  readonly stored: Map<CommandId, CommandRecord>;
  readonly sent: Command[];
  readonly stream: CommandStream;
  readonly advance: (durationMs: number) => void;
  readonly timerCount: () => number;
  /** Called while a record is being made durable. */
  whilePersisting: () => void;
}

function createScene(initial: readonly CommandRecord[] = []): Scene {
  let nowMs = 1_000;
  let count = 0;
  const timers = new Map<() => void, number>();
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => assert.fail('dispatch never waits'),
    after: (durationMs, call) => {
      timers.set(call, nowMs + durationMs);
      return { cancel: () => void timers.delete(call) };
    },
  };
  const advance = (durationMs: number): void => {
    nowMs += durationMs;
    for (const [call, dueMs] of timers) {
      if (dueMs <= nowMs && timers.delete(call)) call();
    }
  };
  const steps: string[] = [];
  const stored = new Map<CommandId, CommandRecord>();
  const sent: Command[] = [];
  const stream: CommandStream = {
    send: (command) => {
      steps.push('send');
      sent.push(command);
    },
  };
  for (const record of initial) stored.set(record.command.id, record);
  const scene = { steps, stored, sent, stream, advance, whilePersisting: (): void => {} };
  const dispatch = createDispatch({
    clock,
    newIdentifier: () => idOf((count += 1)),
    initial,
    persist: async (record) => {
      scene.whilePersisting();
      await Promise.resolve();
      stored.set(record.command.id, record);
      steps.push(`persist ${record.state}`);
    },
    onChange: (record) => steps.push(`change ${record.state}`),
    forget: (id) => void stored.delete(id),
    onFatal: (error) => assert.fail(String(error)),
  });
  return Object.assign(scene, { dispatch, timerCount: () => timers.size });
}

const request = (ofHost: HostId = host): CommandRequest => ({
  host: ofHost,
  order: { kind: 'mark-known-good' },
  isDryRun: false,
  requestedBy: 'a test',
  reason: 'because',
});
const recordOf = (number: number, change: Partial<CommandRecord> = {}): CommandRecord => ({
  command: { ...request(), id: idOf(number), timeLimitMs: COMMAND_TIME_LIMIT_MS },
  state: 'sent',
  sentMs: number,
  ...change,
});

test('a command is durable before it is sent, and then waits for its receipt and outcome', async () => {
  const { dispatch, stream, steps, stored, sent, timerCount } = createScene();
  dispatch.attach(host, stream);
  const { command, state } = await dispatch.start(request());
  assert.equal(state, 'sent');
  assert.deepEqual(steps, ['persist sent', 'send', 'change sent']);
  assert.deepEqual(sent, [command]);
  dispatch.onReceipt(host, command.id);
  assert.equal(dispatch.get(command.id)?.state, 'received');
  dispatch.onOutcome(host, command.id, done);
  await Promise.resolve();
  const ended = dispatch.get(command.id);
  assert.deepEqual(ended?.outcome, done);
  assert.deepEqual(stored.get(command.id), ended);
  assert.equal(timerCount(), 0);
});

test('a host without a stream is refused with HOST_NOT_CONNECTED, and nothing is kept for later', async () => {
  const { dispatch, stream, sent, steps } = createScene();
  const { state, outcome } = await dispatch.start(request());
  assert.equal(state, 'ended');
  assert.ok(outcome?.kind === 'refused' && outcome.code === 'HOST_NOT_CONNECTED');
  dispatch.attach(host, stream);
  assert.deepEqual(sent, []);
  assert.ok(steps.includes('change ended') && !steps.includes('send'));
  dispatch.detach(host, stream);
  assert.equal((await dispatch.start(request())).state, 'ended');
});

test('without a receipt in time the command is unknown, since it may have run', async () => {
  const { dispatch, stream, advance } = createScene();
  dispatch.attach(host, stream);
  const { command } = await dispatch.start(request());
  advance(RECEIPT_LIMIT_MS - 1);
  assert.equal(dispatch.get(command.id)?.state, 'sent');
  advance(1);
  const record = dispatch.get(command.id);
  assert.equal(record?.outcome?.kind, 'unknown');
  assert.match(record?.outcome?.sentence ?? '', /no receipt/);
});

test('without an outcome in time the command is unknown, counted from the receipt', async () => {
  const { dispatch, stream, advance } = createScene();
  dispatch.attach(host, stream);
  const { command } = await dispatch.start(request());
  advance(RECEIPT_LIMIT_MS - 1);
  dispatch.onReceipt(host, command.id);
  advance(COMMAND_TIME_LIMIT_MS + ANSWER_GRACE_MS - 1);
  assert.equal(dispatch.get(command.id)?.state, 'received');
  advance(1);
  assert.match(dispatch.get(command.id)?.outcome?.sentence ?? '', /no outcome/);
});

test('an outcome that comes late replaces unknown, and nothing replaces what is known', async () => {
  const { dispatch, stream, advance } = createScene();
  dispatch.attach(host, stream);
  const { command } = await dispatch.start(request());
  advance(RECEIPT_LIMIT_MS);
  dispatch.onOutcome(host, command.id, done);
  assert.deepEqual(dispatch.get(command.id)?.outcome, done);
  dispatch.onOutcome(host, command.id, refused);
  dispatch.onReceipt(host, command.id);
  assert.deepEqual(dispatch.get(command.id)?.outcome, done);
});

test('a stream that ends makes its own open commands unknown, and no others', async () => {
  const { dispatch, stream } = createScene();
  const otherStream: CommandStream = { send: () => {} };
  dispatch.attach(host, stream);
  dispatch.attach(other, otherStream);
  const { command } = await dispatch.start(request());
  const untouched = await dispatch.start(request(other));
  dispatch.detach(host, stream);
  assert.equal(dispatch.get(command.id)?.outcome?.kind, 'unknown');
  assert.equal(dispatch.get(untouched.command.id)?.state, 'sent');
});

test('the end of a stream that was replaced leaves the newer one in place', async () => {
  const { dispatch, stream, sent } = createScene();
  const older: CommandStream = { send: () => assert.fail('the older stream is no longer used') };
  dispatch.attach(host, older);
  dispatch.attach(host, stream);
  dispatch.detach(host, older);
  assert.equal((await dispatch.start(request())).state, 'sent');
  assert.equal(sent.length, 1);
});

test('a stream that ends while its command is being made durable is not written to', async () => {
  const scene = createScene();
  const { dispatch, stream, sent, steps, timerCount } = scene;
  dispatch.attach(host, stream);
  scene.whilePersisting = () => dispatch.detach(host, stream);
  const record = await dispatch.start(request());
  assert.equal(record.outcome?.kind, 'unknown');
  assert.deepEqual(sent, []);
  assert.equal(steps.filter((step) => step === 'change sent').length, 0);
  assert.equal(timerCount(), 0);
});

test('an answer from another host, or to an unknown command, is passed over', async () => {
  const { dispatch, stream } = createScene();
  dispatch.attach(host, stream);
  const { command } = await dispatch.start(request());
  dispatch.onReceipt(other, command.id);
  dispatch.onOutcome(other, command.id, done);
  dispatch.onReceipt(host, idOf(99));
  dispatch.onOutcome(host, idOf(99), done);
  assert.equal(dispatch.get(command.id)?.state, 'sent');
  assert.equal(dispatch.list().length, 1);
});

test('what had not ended before a restart is unknown after it, until the host says otherwise', () => {
  const ended = recordOf(2, { state: 'ended', endedMs: 5, outcome: refused });
  const { dispatch } = createScene([recordOf(1), ended]);
  const [newest, oldest] = dispatch.list();
  assert.deepEqual(newest, ended);
  assert.equal(oldest?.state, 'ended');
  assert.equal(oldest?.outcome?.kind, 'unknown');
  dispatch.onOutcome(host, idOf(1), done);
  assert.deepEqual(dispatch.get(idOf(1))?.outcome, done);
});

test('the number of records is bounded, the oldest ended ones go, and open ones stay', async () => {
  const all = Array.from({ length: COMMANDS_KEPT_MAX + 5 }, (_, index) => recordOf(1_000 + index));
  const { dispatch, stream, stored } = createScene(all);
  assert.equal(dispatch.list().length, COMMANDS_KEPT_MAX);
  dispatch.attach(host, stream);
  const { command } = await dispatch.start(request());
  for (let count = 0; count < COMMANDS_KEPT_MAX + 5; count += 1)
    await dispatch.start(request(other));
  await Promise.resolve();
  assert.equal(dispatch.list().length, COMMANDS_KEPT_MAX);
  assert.equal(dispatch.get(command.id)?.state, 'sent');
  assert.deepEqual(
    [...stored.keys()].toSorted(),
    dispatch
      .list()
      .map((record) => record.command.id)
      .toSorted(),
    'what is no longer kept is not stored either',
  );
});

test('the same request under the same key is one command, after a restart, too', async () => {
  const { dispatch, stream, sent, stored } = createScene();
  dispatch.attach(host, stream);
  const asked = { ...request(), idempotencyKey: 'k' };
  const { command } = await dispatch.start(asked);
  const kept = await dispatch.start(asked);
  assert.equal(kept.command, command);
  assert.equal(sent.length, 1);
  const initial = JSON.parse(JSON.stringify([...stored.values()])) as CommandRecord[]; // As stored.
  const again = createScene(initial);
  again.dispatch.attach(host, again.stream);
  assert.deepEqual((await again.dispatch.start(asked)).command, command);
  assert.deepEqual(again.sent, []);
  await again.dispatch.start({ ...asked, idempotencyKey: 'another' });
  assert.equal(again.sent.length, 1);
});

test('another request under a key that was used is refused', async () => {
  const { dispatch, stream, sent } = createScene();
  dispatch.attach(host, stream);
  await dispatch.start({ ...request(), idempotencyKey: 'k' });
  const { command } = await dispatch.start(request());
  for (const change of [
    { host: other },
    { order: { kind: 'undo', command: command.id } as const },
    { isDryRun: true },
    { reason: 'another' },
  ])
    await assert.rejects(dispatch.start({ ...request(), idempotencyKey: 'k', ...change }), {
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  assert.equal(sent.length, 2);
});

test('a record that cannot be made durable is not sent', async () => {
  const scene = createScene();
  scene.dispatch.attach(host, scene.stream);
  scene.whilePersisting = () => {
    throw new CodedError('TEST_CODE', 'broken');
  };
  await assert.rejects(scene.dispatch.start(request()), { code: 'TEST_CODE' });
  assert.deepEqual(scene.sent, []);
});
