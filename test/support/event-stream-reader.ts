// In: a broker's port.
// Out: all events that its stream holds, read after the fact by JetStream's own API.
// Never: needs to have been there when they happened.

import { strict as assert } from 'node:assert';
import type { CloudEvent } from '@foreshadow/model';
import { createLogger, seededRandom, systemClock } from '@foreshadow/runtime';
import { EVENT_STREAM, openBroker } from '@foreshadow/wire';

const CONNECT_LIMIT_MS = 10_000;
const REQUEST_LIMIT_MS = 5_000;

interface StreamState {
  readonly state: { readonly first_seq: number; readonly last_seq: number };
}
interface StoredMessage {
  readonly message: { readonly data: string };
}

/** In the order of the stream. */
export async function readEventStream(port: number): Promise<readonly CloudEvent[]> {
  await using broker = openBroker({
    servers: [`nats://127.0.0.1:${port}`],
    name: 'reader of the past',
    logger: createLogger({
      program: 'reader',
      level: 'error',
      format: 'text',
      clock: systemClock,
      write: (line) => process.stderr.write(line),
    }),
    random: seededRandom(1),
    clock: systemClock,
    onClosed: () => undefined,
  });
  await broker.connected(CONNECT_LIMIT_MS, new AbortController().signal);
  const { connection } = broker;
  assert.ok(connection !== undefined);
  const ask = async <Answer>(what: string, body: object): Promise<Answer> => {
    const subject = `$JS.API.STREAM.${what}.${EVENT_STREAM}`;
    const answer = await connection.request(subject, JSON.stringify(body), {
      timeout: REQUEST_LIMIT_MS,
    });
    return answer.json<Answer>();
  };
  const { state } = await ask<StreamState>('INFO', {});
  const events: CloudEvent[] = [];
  for (let sequence = state.first_seq; sequence <= state.last_seq; sequence += 1) {
    const { message } = await ask<StoredMessage>('MSG.GET', { seq: sequence });
    events.push(JSON.parse(Buffer.from(message.data, 'base64').toString()) as CloudEvent); // Ours.
  }
  return events;
}
