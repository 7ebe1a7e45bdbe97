// The control stream over real gRPC on free loopback ports: both ends, and ends that misbehave.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createStreams } from '@foreshadow/controller/dispatch/streams.ts';
import {
  parseBootId,
  parseCommandId,
  parseHostId,
  type CommandId,
  type Outcome,
} from '@foreshadow/model';
import { CodedError, describeError, systemClock, type Clock } from '@foreshadow/runtime';
import {
  HELLO_ENTRIES_MAX,
  HELLO_LIMIT_MS,
  HELLO_NAME_LENGTH_MAX,
  HELLO_TEXT_LENGTH_MAX,
  PROTOCOL_VERSION,
  dialControl,
  serveControl,
  type AgentStream,
  type ControlServer,
  type ControlStream,
  type ControllerMessage,
  type Hello,
  type ServeControlOptions,
} from '@foreshadow/wire';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 30_000 };
const protoPath = join(import.meta.dirname, '../../proto/control.proto');
const host = required(parseHostId('web-1'));
const boot = required(parseBootId('0123456789abcdef'));
const command = required(parseCommandId('cmd-0123456789ab'));
const hello: Hello = {
  host,
  boot,
  protocolVersion: PROTOCOL_VERSION,
  role: 'shadow',
  scope: 'process',
  agentVersion: '1',
  labels: { service: 'shop' },
  inventory: { kernel: '6' },
};

function required<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}

/** What the controller's end heard, and the streams that are or were open. */
interface Served extends AsyncDisposable {
  readonly server: ControlServer;
  readonly address: string;
  readonly streams: AgentStream[];
  readonly receipts: CommandId[];
  readonly outcomes: [CommandId, Outcome][];
  readonly endCount: () => number;
}

async function serve(change: Partial<ServeControlOptions> = {}): Promise<Served> {
  const heard = {
    streams: [] as AgentStream[],
    receipts: [] as CommandId[],
    outcomes: [] as [CommandId, Outcome][],
  };
  let endCount = 0;
  const server = await serveControl({
    host: '127.0.0.1',
    port: 0,
    protoPath,
    clock: systemClock,
    onError: (error) => assert.fail(describeError(error)),
    onStream: (stream) => {
      heard.streams.push(stream);
      return {
        onReceipt: (id) => heard.receipts.push(id),
        onOutcome: (id, outcome) => heard.outcomes.push([id, outcome]),
        onEnd: () => void (endCount += 1),
      };
    },
    ...change,
  });
  const close = (): PromiseLike<void> => server[Symbol.asyncDispose]();
  const address = `127.0.0.1:${server.port}`;
  return { ...heard, server, address, endCount: () => endCount, [Symbol.asyncDispose]: close };
}

interface Dialled extends Disposable {
  readonly stream: ControlStream;
  readonly heard: ControllerMessage[];
  /** How it ended: once, with the error or `in order`. */
  readonly ends: (CodedError | 'in order')[];
}

function dial(address: string): Dialled {
  const [heard, ends]: [ControllerMessage[], (CodedError | 'in order')[]] = [[], []];
  const stream = dialControl({
    address,
    clock: systemClock,
    onMessage: (message) => heard.push(message),
    onEnd: (error) => ends.push(error ?? 'in order'),
  });
  return { stream, heard, ends, [Symbol.dispose]: () => stream.close() };
}

/** Resolves with the sentence of the end, which must be CONTROL_STREAM_LOST. */
async function lostBecause({ ends }: Dialled): Promise<string> {
  const end = await until('the end of the stream', () => ends[0]);
  assert.ok(end instanceof CodedError, 'ended in order');
  assert.equal(end.code, 'CONTROL_STREAM_LOST');
  return describeError(end);
}

test('each side hears what the other says, in order', LIMIT, async () => {
  await using served = await serve();
  using dialled = dial(served.address);
  const { stream, heard } = dialled;
  stream.send({ kind: 'hello', hello });
  const agent = await until('the hello', () => served.streams[0]);
  assert.deepEqual(agent.hello, hello);
  const orders = [
    { kind: 'restore', item: 'file:/a', expectedDigest: 'e', targetDigest: 't' },
    { kind: 'mark-known-good' },
    { kind: 'undo', command },
  ] as const;
  const about = { id: command, isDryRun: true, requestedBy: 'me', reason: 'ä', timeLimitMs: 5 };
  const messages: ControllerMessage[] = [
    { kind: 'welcome', welcome: { protocolVersion: 1, controllerVersion: '1', partition: '0' } },
    { kind: 'low-water-mark', mark: { boot, sequence: 0xffff_ffff } },
    { kind: 'snapshot-request' },
    ...orders.map((order): ControllerMessage => ({
      kind: 'command',
      command: { ...about, order },
    })),
  ];
  for (const message of messages) agent.send(message);
  await until('all messages', () => heard.length === messages.length);
  assert.deepEqual(heard, messages);

  const outcomes: Outcome[] = [
    { kind: 'done', tookMs: 1.5, sentence: 'Done.', details: { digest: 'd' } },
    { kind: 'refused', code: 'NO', sentence: 'No.' },
    { kind: 'failed', code: 'BAD', sentence: 'Bad.' },
    { kind: 'unknown', sentence: 'Who knows.' },
  ];
  stream.send({ kind: 'receipt', command });
  for (const outcome of outcomes) stream.send({ kind: 'outcome', command, outcome });
  await until('all outcomes', () => served.outcomes.length === outcomes.length);
  assert.deepEqual(served.receipts, [command]);
  assert.deepEqual(
    served.outcomes.map(([, outcome]) => outcome),
    outcomes,
  );
});

test('a hello that names no host is refused with CONTROL_HELLO_INVALID', LIMIT, async () => {
  await using served = await serve();
  const wrong: readonly Hello[] = [
    { ...hello, host: 'Not A Host' as Hello['host'] }, // What an agent must never say.
    { ...hello, boot: '' as Hello['boot'] },
    { ...hello, role: 'other' as Hello['role'] },
  ];
  for (const said of wrong) {
    using dialled = dial(served.address);
    dialled.stream.send({ kind: 'hello', hello: said });
    assert.match(await lostBecause(dialled), /CONTROL_HELLO_INVALID/);
  }
  using silent = dial(served.address);
  silent.stream.send({ kind: 'receipt', command });
  assert.match(await lostBecause(silent), /CONTROL_HELLO_INVALID/);
  assert.deepEqual(served.streams, []);
});

test(
  'an agent of an older protocol is refused with CONTROL_PROTOCOL_TOO_OLD and what to do',
  LIMIT,
  async () => {
    await using served = await serve();
    using dialled = dial(served.address);
    dialled.stream.send({ kind: 'hello', hello: { ...hello, protocolVersion: 0 } });
    assert.match(await lostBecause(dialled), /CONTROL_PROTOCOL_TOO_OLD: .*upgrade the agent/);
  },
);

test('a controller that refuses a host says its code', LIMIT, async () => {
  const onStream = (): never => {
    throw new CodedError('HOSTS_TOO_MANY', 'no room');
  };
  await using served = await serve({ onStream });
  using dialled = dial(served.address);
  dialled.stream.send({ kind: 'hello', hello });
  assert.match(await lostBecause(dialled), /HOSTS_TOO_MANY: no room/);
});

test('a hello that says more than fits is refused with CONTROL_HELLO_INVALID', LIMIT, async () => {
  await using served = await serve();
  const many = Object.fromEntries(
    Array.from({ length: HELLO_ENTRIES_MAX + 1 }, (_, index) => [`n${index}`, '']),
  );
  const wrong: readonly Partial<Hello>[] = [
    { labels: many },
    { inventory: many },
    { labels: { ['n'.repeat(HELLO_NAME_LENGTH_MAX + 1)]: '' } },
    { inventory: { kernel: 'x'.repeat(HELLO_TEXT_LENGTH_MAX + 1) } },
    { scope: 'x'.repeat(HELLO_TEXT_LENGTH_MAX + 1) },
  ];
  for (const change of wrong) {
    using dialled = dial(served.address);
    dialled.stream.send({ kind: 'hello', hello: { ...hello, ...change } });
    assert.match(await lostBecause(dialled), /CONTROL_HELLO_INVALID: .*at most 64 labels/);
  }
  assert.deepEqual(served.streams, []);
});

test('a stream without a hello is ended in time, and one with it is not', LIMIT, async () => {
  const timers: { readonly call: () => void; isCancelled: boolean }[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (durationMs, call) => {
      if (durationMs !== HELLO_LIMIT_MS) return systemClock.after(durationMs, call);
      const timer = { call, isCancelled: false };
      timers.push(timer);
      return { cancel: () => void (timer.isCancelled = true) };
    },
  };
  await using served = await serve({ clock });
  using good = dial(served.address);
  good.stream.send({ kind: 'hello', hello });
  await until('the good stream', () => timers[0]?.isCancelled);
  using silent = dial(served.address);
  await until('the silent stream', () => timers.length === 2);
  timers[1]?.call();
  assert.match(await lostBecause(silent), /CONTROL_HELLO_LATE/);
  assert.equal(served.streams.length, 1);
  assert.equal(served.endCount(), 0);
});

test(
  'an error without a code ends its own stream, is told, and goes no further',
  LIMIT,
  async () => {
    const errors: unknown[] = [];
    const fault = new TypeError('a fault of ours');
    await using served = await serve({
      onStream: () => {
        throw fault;
      },
      onError: (error) => errors.push(error),
    });
    using dialled = dial(served.address);
    dialled.stream.send({ kind: 'hello', hello });
    assert.match(await lostBecause(dialled), /UNEXPECTED/);
    assert.deepEqual(errors, [fault]);
  },
);

test('a second stream of one host ends the first, which reads why', LIMIT, async () => {
  const streams = createStreams();
  const onStream: ServeControlOptions['onStream'] = (stream) => {
    streams.add(stream);
    return {
      onReceipt: () => {},
      onOutcome: () => {},
      onEnd: () => void streams.remove(stream),
    };
  };
  await using served = await serve({ onStream });
  using first = dial(served.address);
  first.stream.send({ kind: 'hello', hello });
  const firstStream = await until('the first stream', () => streams.get(host));
  using second = dial(served.address);
  second.stream.send({ kind: 'hello', hello });
  assert.match(await lostBecause(first), /two agents/);
  assert.notEqual(streams.get(host), firstStream);
  streams.get(host)?.send({ kind: 'snapshot-request' });
  await until('word on the second stream', () => second.heard.length === 1);
  assert.deepEqual(second.ends, []);
});

test('an agent that goes away is noticed, whether it says so or not', LIMIT, async () => {
  await using served = await serve();
  using polite = dial(served.address);
  polite.stream.send({ kind: 'hello', hello });
  await until('the stream', () => served.streams.length === 1);
  polite.stream.close();
  await until('its end', () => served.endCount() === 1);
  assert.equal(polite.ends.length, 1);
  served.streams[0]?.send({ kind: 'snapshot-request' }); // To nobody; must not throw.
  assert.equal(served.endCount(), 1);
});

test('a controller that stops ends the streams, and its port is free again', LIMIT, async () => {
  const served = await serve();
  using dialled = dial(served.address);
  dialled.stream.send({ kind: 'hello', hello });
  await until('the stream', () => served.streams.length === 1);
  await served.server[Symbol.asyncDispose]();
  assert.match(await lostBecause(dialled), /the controller stops/);
  assert.equal(served.endCount(), 1);
  await using again = await serve({ port: served.server.port });
  assert.equal(again.server.port, served.server.port);
});

test('a controller that is not there is CONTROL_STREAM_LOST, once', LIMIT, async () => {
  const served = await serve();
  await served.server[Symbol.asyncDispose]();
  using dialled = dial(served.address);
  dialled.stream.send({ kind: 'hello', hello });
  await lostBecause(dialled);
  dialled.stream.send({ kind: 'receipt', command });
  dialled.stream.close();
  assert.equal(dialled.ends.length, 1);
});

test(
  'a port that is taken is PORT_IN_USE, and another address than loopback NOT_LOOPBACK',
  LIMIT,
  async () => {
    await using served = await serve();
    await assert.rejects(serve({ port: served.server.port }), {
      code: 'PORT_IN_USE',
      message: new RegExp(String(served.server.port)),
    });
    for (const address of ['0.0.0.0', '::', '192.0.2.1', 'example.org'])
      await assert.rejects(serve({ host: address }), { code: 'NOT_LOOPBACK' }, address);
  },
);

test('a message beyond the bound ends its own stream, and no other', LIMIT, async () => {
  await using served = await serve();
  using good = dial(served.address);
  good.stream.send({ kind: 'hello', hello });
  await until('the good stream', () => served.streams.length === 1);
  const oversized = Buffer.alloc(2 * 1024 * 1024);
  assert.equal(await statusOfRawMessage(served.server.port, oversized), RESOURCE_EXHAUSTED);
  using large = dial(served.address);
  const inventory = { kernel: 'x'.repeat(2 * 1024 * 1024) };
  large.stream.send({ kind: 'hello', hello: { ...hello, inventory } });
  await lostBecause(large);
  good.stream.send({ kind: 'receipt', command });
  await until('word on the good stream', () => served.receipts.length === 1);
  assert.equal(served.streams.length, 1);
});

test(
  'bytes that are no protobuf, and no HTTP/2, end their own connection, and no other',
  LIMIT,
  async () => {
    await using served = await serve();
    using good = dial(served.address);
    good.stream.send({ kind: 'hello', hello });
    await until('the good stream', () => served.streams.length === 1);
    const status = await statusOfRawMessage(served.server.port, Buffer.alloc(64, 0xff));
    assert.notEqual(status, '0');
    const socket = connectSocket({ host: '127.0.0.1', port: served.server.port });
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    good.stream.send({ kind: 'receipt', command });
    await until('word on the good stream', () => served.receipts.length === 1);
    assert.equal(served.endCount(), 0);
  },
);

const RESOURCE_EXHAUSTED = '8';

/** Sends what our own client never would. @returns the gRPC status */
async function statusOfRawMessage(port: number, payload: Buffer): Promise<string> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  const request = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/foreshadow.v1.AgentControl/Connect',
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    te: 'trailers',
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const event of ['response', 'trailers'] as const) {
    request.on(event, (headers: { readonly [name: string]: unknown }) => {
      const status = headers['grpc-status'];
      if (typeof status === 'string') resolve(status);
    });
  }
  request.on('error', () => resolve('reset'));
  request.on('close', () => resolve('closed'));
  request.resume();
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(payload.length, 1);
  request.write(Buffer.concat([frame, payload]));
  const answer = await promise;
  session.destroy();
  return answer;
}
