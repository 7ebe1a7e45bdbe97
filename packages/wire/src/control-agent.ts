// In: the controller's address and what to say. Out: one open control stream, seen from the agent.
// Never: reconnects; agent/link does, at its own pace.
//
// gRPC over node:http2 as it stands: the agent needs one stream of one method, and grpc-js would
// take a tenth of the agent's memory for it (docs/decisions/0014).
//
//   message = compressed u8 (0), length u32 big-endian, protobuf
//   end     = trailers grpc-status (0: in order) and grpc-message (percent-encoded)

import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { CodedError, type Clock } from '@foreshadow/runtime';
import { decodeControllerMessage, encodeAgentMessage } from './control-codec.ts';
import {
  CONTROL_MESSAGE_BYTES_MAX,
  type AgentMessage,
  type ControllerMessage,
} from './control-messages.ts';

const METHOD = '/foreshadow.v1.AgentControl/Connect';
export const KEEPALIVE_MS = 10_000;
export const KEEPALIVE_TIMEOUT_MS = 5_000;
const PREFIX_BYTES = 5;
const STATUS_OK = '0';

export interface ControlStream {
  send(message: AgentMessage): void;
  /** Ends the stream and frees the connection; `onEnd` is still called once. */
  close(): void;
}

export interface DialOptions {
  /** `host:port` */
  readonly address: string;
  readonly clock: Clock;
  readonly onMessage: (message: ControllerMessage) => void;
  /** Called exactly once; the error is absent when the controller ended the stream in order. */
  readonly onEnd: (error: CodedError | undefined) => void;
}

/** Dials at once; the first sign that it failed is `onEnd` with CONTROL_STREAM_LOST. */
export function dialControl(options: DialOptions): ControlStream {
  const { address, clock, onMessage, onEnd } = options;
  const session = connect(`http://${address}`, { settings: { enablePush: false } });
  const request = session.request({
    [constants.HTTP2_HEADER_METHOD]: constants.HTTP2_METHOD_POST,
    [constants.HTTP2_HEADER_PATH]: METHOD,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  });
  let hasEnded = false;
  const end = (error: CodedError | undefined): void => {
    if (hasEnded) return;
    hasEnded = true;
    stopAsking();
    session.destroy();
    onEnd(error);
  };
  const lose = (cause: unknown): void =>
    end(new CodedError('CONTROL_STREAM_LOST', `control stream to ${address} ended`, { cause }));

  const stopAsking = keepAsking(session, clock, lose);
  session.on('error', lose);
  session.on('close', () => lose(new Error('the connection was closed')));
  hearEnd(request, { end, lose });
  const read = createMessageReader((bytes) => {
    const message = decodeControllerMessage(bytes);
    if (message !== undefined && !hasEnded) onMessage(message);
  });
  request.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      lose(error);
    }
  });
  return {
    send: (message) => {
      if (!hasEnded) request.write(frameOf(encodeAgentMessage(message)));
    },
    close: () => end(undefined),
  };
}

/** Asks every KEEPALIVE_MS whether the other side lives. @returns what ends the asking */
function keepAsking(
  session: ClientHttp2Session,
  clock: Clock,
  onSilence: (cause: Error) => void,
): () => void {
  let timer = clock.after(KEEPALIVE_MS, ask);
  function ask(): void {
    const late = (): void => onSilence(new Error(`silent for ${KEEPALIVE_TIMEOUT_MS} ms`));
    timer = clock.after(KEEPALIVE_TIMEOUT_MS, late);
    session.ping((error) => {
      if (error !== null) return; // The session ends, and says why itself.
      timer.cancel();
      timer = clock.after(KEEPALIVE_MS, ask);
    });
  }
  return () => timer.cancel();
}

/**
 * How the controller ended the stream: its status stands in the trailers, or with the headers where
 * it said nothing else.
 */
function hearEnd(
  request: ClientHttp2Stream,
  { end, lose }: { end: (error: undefined) => void; lose: (cause: unknown) => void },
): void {
  const hear = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void => {
    const status = headers['grpc-status'];
    if (status === STATUS_OK) end(undefined);
    else if (status !== undefined)
      lose(new Error(`status ${String(status)}: ${decoded(headers['grpc-message'])}`));
    else if (isHttpRefusal(headers[':status']))
      lose(new Error('the other side does not speak gRPC'));
  };
  request.on('response', hear);
  request.on('trailers', hear);
  request.on('error', lose);
  request.on('close', () => lose(new Error('the stream was closed without a status')));
}

/** @param status absent in trailers */
function isHttpRefusal(status: number | undefined): boolean {
  return status !== undefined && status !== constants.HTTP_STATUS_OK;
}

function decoded(text: unknown): string {
  try {
    return decodeURIComponent(String(text));
  } catch {
    return String(text); // Not percent-encoded after all; it is only shown.
  }
}

function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/**
 * Puts messages together from chunks, however they are cut.
 * @throws CodedError WIRE_CONTROL_MALFORMED for one that is compressed or too large, before it is
 * read
 */
function createMessageReader(onMessage: (bytes: Uint8Array) => void): (chunk: Buffer) => void {
  let waiting: Buffer = Buffer.alloc(0);
  return (chunk) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    while (waiting.length >= PREFIX_BYTES) {
      const length = waiting.readUInt32BE(1);
      if (waiting.readUInt8(0) !== 0 || length > CONTROL_MESSAGE_BYTES_MAX)
        throw new CodedError(
          'WIRE_CONTROL_MALFORMED',
          `control message of ${length} bytes is compressed or over ${CONTROL_MESSAGE_BYTES_MAX}`,
        );
      if (waiting.length < PREFIX_BYTES + length) return;
      onMessage(waiting.subarray(PREFIX_BYTES, PREFIX_BYTES + length));
      waiting = waiting.subarray(PREFIX_BYTES + length);
    }
  };
}
