// In: the controller's address and what to say. Out: one open control stream, seen from the agent.
// Never: reconnects; agent/link does, at its own pace.

import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { CodedError } from '@foreshadow/runtime';
import { decodeControllerMessage, encodeAgentMessage } from './control-codec.ts';
import {
  CONTROL_MESSAGE_BYTES_MAX,
  type AgentMessage,
  type ControllerMessage,
} from './control-messages.ts';

const METHOD = '/foreshadow.v1.AgentControl/Connect';
export const KEEPALIVE_MS = 10_000;
export const KEEPALIVE_TIMEOUT_MS = 5_000;

export interface ControlStream {
  send(message: AgentMessage): void;
  /** Ends the stream and frees the connection; `onEnd` is still called once. */
  close(): void;
}

export interface DialOptions {
  /** `host:port` */
  readonly address: string;
  readonly onMessage: (message: ControllerMessage) => void;
  /** Called exactly once; the error is absent when the controller ended the stream in order. */
  readonly onEnd: (error: CodedError | undefined) => void;
}

/** Dials at once; the first sign that it failed is `onEnd` with CONTROL_STREAM_LOST. */
export function dialControl(options: DialOptions): ControlStream {
  const client = new Client(options.address, credentials.createInsecure(), {
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_receive_message_length': CONTROL_MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': CONTROL_MESSAGE_BYTES_MAX,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
  });
  let hasEnded = false;
  const end = (error: CodedError | undefined): void => {
    if (hasEnded) return;
    hasEnded = true;
    client.close();
    options.onEnd(error);
  };
  const call: ClientDuplexStream<AgentMessage, ControllerMessage | undefined> =
    client.makeBidiStreamRequest(
      METHOD,
      (message: AgentMessage) => Buffer.from(encodeAgentMessage(message)),
      decodeControllerMessage,
    );
  call.on('data', (message: ControllerMessage | undefined) => {
    if (message !== undefined) options.onMessage(message);
  });
  call.on('error', (cause) => {
    end(
      new CodedError('CONTROL_STREAM_LOST', `control stream to ${options.address} ended`, {
        cause,
      }),
    );
  });
  call.on('end', () => end(undefined));
  return {
    send: (message) => {
      if (!hasEnded) call.write(message);
    },
    close: () => {
      call.end();
      call.cancel();
    },
  };
}
