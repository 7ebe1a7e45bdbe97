// The broker's client and the event stream, against a real nats-server on a free loopback port.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairIdOf, parseHostId, type PairEvent } from '@foreshadow/model';
import { newIdentifier, systemClock } from '@foreshadow/runtime';
import {
  EVENT_BYTES_MAX,
  EVENT_STREAM,
  openBroker,
  openEventStream,
  toCloudEvent,
  type Broker,
} from '@foreshadow/wire';
import { createKeptLog, type KeptLog } from '../support/kept-log.ts';
import { findFreePort, openNatsProcess } from '../support/nats-process.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 60_000 };
const [production, shadow] = [parseHostId('a'), parseHostId('b')];
assert.ok(production !== undefined && shadow !== undefined);
const pairEvent: PairEvent = {
  family: 'incident',
  what: 'opened',
  pair: pairIdOf(production, shadow),
  atMs: 1,
  data: { sentence: 'It differs.' },
};
const eventOf = (change: Partial<PairEvent> = {}): ReturnType<typeof toCloudEvent> =>
  toCloudEvent({ ...pairEvent, ...change }, { source: '/test', newIdentifier });
const CONNECT_LIMIT_MS = 10_000;

interface OpenedBroker extends Broker {
  readonly log: KeptLog;
  readonly closedCodes: readonly string[];
}

function open(url: string): OpenedBroker {
  const log = createKeptLog();
  const closedCodes: string[] = [];
  const broker = openBroker({
    servers: [url],
    name: 'a test',
    logger: log,
    random: () => 0,
    clock: systemClock,
    onClosed: ({ code }) => closedCodes.push(code),
  });
  return Object.assign(broker, { log, closedCodes });
}

/** One question to JetStream's own interface, so that the answer is not our client's opinion. */
async function ask(broker: Broker, subject: string, body: unknown = {}): Promise<unknown> {
  const reply = await broker.connection?.request(`$JS.API.${subject}`, JSON.stringify(body));
  return reply?.json();
}

test(
  'messages arrive with their subject, and a subscription outlives a killed server',
  LIMIT,
  async () => {
    await using server = await openNatsProcess();
    await using receiver = open(server.url);
    await using sender = open(server.url);
    const heard: string[] = [];
    receiver.subscribe('some.*', ({ subject, data }) =>
      heard.push(`${subject} ${Buffer.from(data).toString()}`),
    );
    assert.equal(sender.publish('some.early', Buffer.from('x')), false, 'not connected yet');
    await Promise.all([
      receiver.connected(CONNECT_LIMIT_MS, new AbortController().signal),
      sender.connected(CONNECT_LIMIT_MS, new AbortController().signal),
    ]);
    await receiver.connection?.flush();
    assert.equal(sender.publish('some.thing', Buffer.from('1')), true);
    await until('the first message', () => heard.includes('some.thing 1'));

    await server.kill();
    await until('the loss to be noticed', () => !sender.isConnected && !receiver.isConnected);
    assert.equal(sender.publish('some.thing', Buffer.from('2')), false);
    await server.start();
    await until('both to be back', () => sender.isConnected && receiver.isConnected);
    assert.deepEqual([sender.connectionCount, receiver.connectionCount], [2, 2]);
    await receiver.connection?.flush();
    assert.equal(sender.publish('some.thing', Buffer.from('3')), true);
    await until('the message after the return', () => heard.includes('some.thing 3'));
    assert.deepEqual(heard, ['some.thing 1', 'some.thing 3']);
    assert.deepEqual([sender.closedCodes, receiver.closedCodes], [[], []]);
  },
);

test(
  'a broker that is away is BROKER_UNREACHABLE for who cannot wait, and is found later',
  LIMIT,
  async () => {
    await using server = await openNatsProcess();
    await server.kill();
    await using broker = open(server.url);
    await assert.rejects(broker.connected(100, new AbortController().signal), {
      code: 'BROKER_UNREACHABLE',
    });
    await assert.rejects(broker.connected(CONNECT_LIMIT_MS, AbortSignal.abort()), {
      code: 'BROKER_UNREACHABLE',
    });
    await assert.rejects(openEventStream(broker), { code: 'BROKER_UNREACHABLE' });
    await server.start();
    await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
    assert.equal(broker.connectionCount, 1);
    const told = broker.log.lines.filter((line) => line.startsWith('no broker yet'));
    assert.equal(told.length, 1, 'the same reason is told once');
  },
);

test(
  'closing ends the search for a broker that was never reached, and the program with it',
  LIMIT,
  async () => {
    const broker = open(`nats://127.0.0.1:${await findFreePort()}`);
    await broker[Symbol.asyncDispose]();
    await assert.rejects(broker.connected(100, new AbortController().signal));
    assert.deepEqual(broker.closedCodes, []);
  },
);

test('closing ends though the server has fallen silent', LIMIT, async () => {
  await using server = await openNatsProcess();
  const broker = open(server.url);
  broker.subscribe('some.*', () => undefined);
  await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
  await broker.connection?.flush();
  server.freeze();
  broker.publish('some.thing', Buffer.from('never read'));
  const startedMs = performance.now();
  await broker[Symbol.asyncDispose]();
  assert.ok(performance.now() - startedMs < 4_000, 'within the limit of a close');
  assert.deepEqual(broker.closedCodes, []);
});

test('closing while the server is away ends at once', LIMIT, async () => {
  await using server = await openNatsProcess();
  const broker = open(server.url);
  await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
  await server.kill();
  await until('the loss to be noticed', () => !broker.isConnected);
  await broker[Symbol.asyncDispose]();
  assert.equal(broker.publish('some.thing', Buffer.from('x')), false);
  assert.deepEqual(broker.closedCodes, []);
});

test(
  'a connection that the client gives up for good is BROKER_CLOSED, told once',
  LIMIT,
  async () => {
    await using server = await openNatsProcess();
    await using broker = open(server.url);
    await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
    await broker.connection?.close();
    await until('the word of it', () => broker.closedCodes.length > 0);
    assert.deepEqual(broker.closedCodes, ['BROKER_CLOSED']);
    assert.equal(broker.publish('some.thing', Buffer.from('x')), false);
  },
);

test(
  'a server that refuses the connection is tried again and again, with its reason told',
  LIMIT,
  async () => {
    await using server = await openNatsProcess({
      lines: ['authorization { user: somebody, password: else }'],
    });
    await using broker = open(server.url);
    await until('the refusal', () => broker.log.lines.some((line) => /authorization/i.test(line)));
    assert.equal(broker.isConnected, false);
    assert.deepEqual(broker.closedCodes, []);
  },
);

test(
  'the stream of events is created, keeps each event once, and is found again',
  LIMIT,
  async () => {
    await using server = await openNatsProcess();
    await using broker = open(server.url);
    await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
    const stream = await openEventStream(broker);
    const event = eventOf();
    await stream.publish(event, pairEvent);
    await stream.publish(event, pairEvent); // As after a lost acknowledgement.
    await (await openEventStream(broker)).publish(eventOf(), pairEvent);

    const info = await ask(broker, `STREAM.INFO.${EVENT_STREAM}`);
    assert.equal((info as { state: { messages: number } }).state.messages, 2); // NATS's own shape.
    const answer = await ask(broker, `STREAM.MSG.GET.${EVENT_STREAM}`, { seq: 1 });
    // NATS's own shape.
    const { message } = answer as { message: { subject: string; data: string } };
    assert.equal(message.subject, 'foreshadow.v1.event.incident.a_b');
    assert.deepEqual(JSON.parse(Buffer.from(message.data, 'base64').toString()), event);
  },
);

test(
  'an event too large for the stream is EVENT_TOO_LARGE, and one beside it is stored',
  LIMIT,
  async () => {
    await using server = await openNatsProcess();
    await using broker = open(server.url);
    await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
    const stream = await openEventStream(broker);
    const large = eventOf({ data: 'x'.repeat(EVENT_BYTES_MAX) });
    await assert.rejects(stream.publish(large, pairEvent), { code: 'EVENT_TOO_LARGE' });
    await stream.publish(eventOf(), pairEvent);
  },
);

test(
  'while the server is away an event is EVENT_NOT_STORED, and is stored once when it is back',
  LIMIT,
  async () => {
    await using server = await openNatsProcess();
    await using broker = open(server.url);
    await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
    const stream = await openEventStream(broker);
    const event = eventOf();
    await server.kill();
    await assert.rejects(stream.publish(event, pairEvent), { code: 'EVENT_NOT_STORED' });
    await until('the loss to be noticed', () => !broker.isConnected);
    await assert.rejects(stream.publish(event, pairEvent), { code: 'EVENT_NOT_STORED' });
    await server.start();
    await until('the event to be stored', async () => {
      const refusal = await stream.publish(event, pairEvent).catch((error: unknown) => error);
      return refusal === undefined ? true : undefined;
    });
    const info = await ask(broker, `STREAM.INFO.${EVENT_STREAM}`);
    assert.equal((info as { state: { messages: number } }).state.messages, 1); // NATS's own shape.
  },
);

test('a stream that somebody has deleted is made anew by the next event', LIMIT, async () => {
  await using server = await openNatsProcess();
  await using broker = open(server.url);
  await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
  const stream = await openEventStream(broker);
  await ask(broker, `STREAM.DELETE.${EVENT_STREAM}`);
  const event = eventOf();
  await assert.rejects(stream.publish(event, pairEvent), { code: 'EVENT_NOT_STORED' });
  await stream.publish(event, pairEvent);
  const info = await ask(broker, `STREAM.INFO.${EVENT_STREAM}`);
  assert.equal((info as { state: { messages: number } }).state.messages, 1); // NATS's own shape.
});

test(
  'a stream that exists otherwise than asked is EVENT_STREAM_DIFFERS, and the field is named',
  LIMIT,
  async () => {
    await using server = await openNatsProcess();
    await using broker = open(server.url);
    await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
    const subjects = ['foreshadow.v1.event.>'];
    const config = {
      name: EVENT_STREAM,
      subjects,
      retention: 'limits',
      storage: 'file',
      max_msgs: 7,
    };
    await ask(broker, `STREAM.CREATE.${EVENT_STREAM}`, config);
    await assert.rejects(openEventStream(broker), {
      code: 'EVENT_STREAM_DIFFERS',
      message: /max_msgs should be 100000/,
    });
  },
);

test(
  'a server without JetStream is JETSTREAM_UNAVAILABLE, and still carries samples',
  LIMIT,
  async () => {
    await using server = await openNatsProcess({ hasJetStream: false });
    await using broker = open(server.url);
    await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
    await assert.rejects(openEventStream(broker), { code: 'JETSTREAM_UNAVAILABLE' });
    assert.equal(broker.publish('some.thing', Buffer.from('x')), true);
  },
);
