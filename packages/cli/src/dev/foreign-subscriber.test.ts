// Facts about the foreign subscriber: it reads NATS's plain text however the bytes are cut.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { subscribeForeign, type ForeignEvent } from './foreign-subscriber.ts';

const LIMIT = { timeout: 10_000 };
const wanted: ForeignEvent[] = [
  { subject: 'foreshadow.v1.event.drift.a_b', type: 'drift', data: { name: 'ä\r\nMSG x 1 3' } },
  { subject: 'foreshadow.v1.event.verdict.a_b', type: 'verdict', data: {} },
];

function messageOf({ subject, type, data }: ForeignEvent, reply = ''): Buffer {
  const payload = Buffer.from(JSON.stringify({ type, data }));
  return Buffer.concat([
    Buffer.from(`MSG ${subject} 1 ${reply}${payload.length}\r\n`),
    payload,
    Buffer.from('\r\n'),
  ]);
}
const [first, second] = wanted;
assert.ok(first !== undefined && second !== undefined);
const stream = Buffer.concat([
  Buffer.from('INFO {"server_id":"x"}\r\n'),
  messageOf(first),
  Buffer.from('PING\r\n'),
  messageOf(second, '$JS.ACK.1 '),
]);

/** Writes the chunks to whoever connects. @returns what the subscriber had read, and had said */
async function play(
  chunks: readonly Uint8Array[],
): Promise<{ readonly events: readonly ForeignEvent[]; readonly said: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const connected = Promise.withResolvers<Socket>();
  server.once('connection', connected.resolve);
  using subscriber = subscribeForeign(address.port);
  const socket = await connected.promise;
  let said = '';
  const answered = Promise.withResolvers<void>();
  socket.on('data', (bytes: Buffer) => {
    said += bytes.toString();
    if (said.includes('PONG')) answered.resolve();
  });
  socket.setNoDelay(true);
  for (const chunk of chunks) {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.write(chunk, () => resolve());
    await promise;
  }
  // Answered after everything before it was read.
  socket.write('PING\r\n');
  await answered.promise;
  while (subscriber.events.length < wanted.length) await once(socket, 'data');
  const events = [...subscriber.events];
  socket.destroy();
  server.close();
  return { events, said };
}

test('events are read whole, whatever is in them, and a ping is answered', LIMIT, async () => {
  const { events, said } = await play([stream]);
  assert.deepEqual(events, wanted);
  assert.match(said, /^CONNECT \{.*\}\r\nSUB foreshadow\.v1\.event\.> 1\r\n/);
  assert.match(said, /PONG\r\n/);
});

test('the same events are read byte by byte', LIMIT, async () => {
  const { events } = await play(Array.from(stream, (byte) => Uint8Array.of(byte)));
  assert.deepEqual(events, wanted);
});
