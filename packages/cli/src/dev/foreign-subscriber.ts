// In: a nats-server's address.
// Out: the events that anybody can read there, by the plain text protocol.
// Never: uses Foreshadow's own client: it stands for other people's programs.

import { connect, type Socket } from 'node:net';

export const EVENTS_KEPT_MAX = 10_000;
const MESSAGE = /^MSG (\S+) \S+ (?:\S+ )?(\d+)\r\n/;

export interface ForeignEvent {
  readonly subject: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ForeignSubscriber extends Disposable {
  readonly events: readonly ForeignEvent[];
}

/** Subscribes to every event; those of before are not replayed. */
export function subscribeForeign(port: number): ForeignSubscriber {
  const events: ForeignEvent[] = [];
  const socket = connect({ host: '127.0.0.1', port });
  let buffered: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffered = takeMessages(Buffer.concat([buffered, chunk]), socket, (event) => {
      if (events.length < EVENTS_KEPT_MAX) events.push(event);
    });
  });
  socket.on('error', () => socket.destroy());
  socket.write(
    'CONNECT {"verbose":false,"pedantic":false,"name":"foreign"}\r\nSUB foreshadow.v1.event.> 1\r\n',
  );
  return { events, [Symbol.dispose]: () => socket.destroy() };
}

/** @returns what is left over: the beginning of a message */
function takeMessages(
  bytes: Buffer,
  socket: Socket,
  onEvent: (event: ForeignEvent) => void,
): Buffer {
  let rest = bytes;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n');
    if (lineEnd < 0) return rest;
    const line = rest.toString('utf8', 0, lineEnd + 2);
    const header = MESSAGE.exec(line);
    if (header === null) {
      if (line.startsWith('PING')) socket.write('PONG\r\n');
      rest = rest.subarray(lineEnd + 2);
      continue;
    }
    const end = lineEnd + 2 + Number(header[2]);
    if (rest.length < end + 2) return rest;
    const event = JSON.parse(rest.toString('utf8', lineEnd + 2, end)) as {
      type: string;
      data: Record<string, unknown>;
    }; // Ours, and a test's own reader.
    onEvent({ subject: header[1] ?? '', type: event.type, data: event.data });
    rest = rest.subarray(end + 2);
  }
}
