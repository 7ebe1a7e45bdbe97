// In: an address to listen on. Out: the control streams of agents, each after its Hello.
// Never: decides; it refuses only what is not the protocol.

import {
  Server,
  ServerCredentials,
  loadPackageDefinition,
  status,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import {
  hostRoles,
  parseBootId,
  parseCommandId,
  parseHostId,
  type CommandId,
  type Labels,
  type Outcome,
} from '@foreshadow/model';
import { CodedError, codeOf, requireLoopback, unreachable, type Clock } from '@foreshadow/runtime';
import { KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS } from './control-agent.ts';
import {
  CONTROL_MESSAGE_BYTES_MAX,
  PROTOCOL_VERSION_MIN,
  type ControllerMessage,
  type Hello,
  type TravellingCommand,
} from './control-messages.ts';

/** A stream whose Hello has not come by then is ended. */
export const HELLO_LIMIT_MS = 5_000;
/** Labels of a host, and entries of its inventory. */
export const HELLO_ENTRIES_MAX = 64;
export const HELLO_NAME_LENGTH_MAX = 128;
/** Of every other text that a Hello carries. */
export const HELLO_TEXT_LENGTH_MAX = 256;

/** One agent's open stream, after its Hello. */
export interface AgentStream {
  readonly hello: Hello;
  send(message: ControllerMessage): void;
  /** Ends the stream; the agent reads why. */
  end(reason: string): void;
}

/**
 * What a controller hears from one stream. Each is called in the order of arrival; `onEnd` once,
 * last.
 */
export interface AgentStreamHandler {
  onReceipt(command: CommandId): void;
  onOutcome(command: CommandId, outcome: Outcome): void;
  onEnd(): void;
}

export interface ControlServer extends AsyncDisposable {
  readonly port: number;
}

export interface ServeControlOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Path of control.proto. */
  readonly protoPath: string;
  readonly clock: Clock;
  /**
   * Called after a valid Hello. Throw a CodedError to refuse the agent; it reads code and message.
   */
  readonly onStream: (stream: AgentStream) => AgentStreamHandler;
  /** Something else than a CodedError was thrown over a stream, which ends; a fault of ours. */
  readonly onError: (error: unknown) => void;
}

// The shapes which proto-loader yields with the options below; each field is present, `body` names
// the one that is set.
interface LooseAgentMessage {
  readonly body?: string;
  readonly hello?: LooseHello;
  readonly receipt?: { readonly commandId: string };
  readonly outcome?: LooseOutcome;
}
interface LooseHello extends Omit<Hello, 'host' | 'boot' | 'role'> {
  readonly host: string;
  readonly boot: string;
  readonly role: string;
}
interface LooseOutcome {
  readonly commandId: string;
  readonly kind: string;
  readonly code: string;
  readonly sentence: string;
  readonly tookMs: number;
  readonly details: Readonly<Record<string, string>>;
}
type Call = ServerDuplexStream<LooseAgentMessage, object>;

/** @throws CodedError NOT_LOOPBACK, PORT_IN_USE */
export async function serveControl(options: ServeControlOptions): Promise<ControlServer> {
  requireLoopback('control.listen', options.host);
  const definition = loadSync(options.protoPath, {
    keepCase: false,
    longs: Number,
    enums: String,
    bytes: Buffer,
    defaults: true,
    arrays: true,
    objects: true,
    oneofs: true,
  });
  // proto-loader types a package as a tree of unknown; the service's name is a fact of
  // proto/control.proto.
  const tree = loadPackageDefinition(definition) as unknown as {
    foreshadow: { v1: { AgentControl: { service: Parameters<Server['addService']>[0] } } };
  };
  const server = new Server({
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_receive_message_length': CONTROL_MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': CONTROL_MESSAGE_BYTES_MAX,
    'grpc.max_concurrent_streams': STREAMS_PER_CONNECTION_MAX,
    'grpc.enable_channelz': 0,
  });
  const calls = new Set<Call>();
  server.addService(tree.foreshadow.v1.AgentControl.service, {
    Connect: (call: Call) => {
      calls.add(call);
      handleCall(call, options, () => calls.delete(call));
    },
  });
  const port = await bind(server, options);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const call of calls) endCall(call, status.UNAVAILABLE, 'the controller stops');
      await shutDown(server, options.clock);
    },
  };
}

// One, and its successor while the old one is being noticed as dead.
const STREAMS_PER_CONNECTION_MAX = 2;

async function bind(server: Server, { host, port }: ServeControlOptions): Promise<number> {
  const address = `${host.includes(':') ? `[${host.replaceAll(/[[\]]/g, '')}]` : host}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
    if (error === null) resolve(bound);
    else {
      const message = `control.listen: ${address} cannot be listened on; is another controller running? Choose another port`;
      reject(new CodedError('PORT_IN_USE', message, { cause: error }));
    }
  });
  return promise;
}

/**
 * In order where the agents answer, by force after a moment; a destroyed session alone would keep
 * its socket open.
 */
async function shutDown(server: Server, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(SHUTDOWN_LIMIT_MS, resolve);
  server.tryShutdown(() => resolve());
  await promise;
  timer.cancel();
  server.forceShutdown();
}

const SHUTDOWN_LIMIT_MS = 1_000;

/** grpc-js ends a call with a status when its stream emits an error. */
function endCall(call: Call, code: status, details: string): void {
  call.emit('error', { code, details });
}

function handleCall(
  call: Call,
  { onStream, onError, clock }: ServeControlOptions,
  onEnd: () => void,
): void {
  let handler: AgentStreamHandler | undefined;
  let hasEnded = false;
  const finish = (): void => {
    if (hasEnded) return;
    hasEnded = true;
    helloTimer.cancel();
    onEnd();
    handler?.onEnd();
  };
  const refuse = (code: string, message: string): void => {
    endCall(call, status.INVALID_ARGUMENT, `${code}: ${message}`);
    finish();
  };
  const helloTimer = clock.after(HELLO_LIMIT_MS, () =>
    refuse('CONTROL_HELLO_LATE', `no Hello within ${HELLO_LIMIT_MS} ms of the stream's opening`),
  );
  call.on('data', (message: LooseAgentMessage) => {
    if (hasEnded) return;
    try {
      if (handler !== undefined) hear(handler, message);
      else handler = onStream(createAgentStream(call, parseHello(message.hello)));
      helloTimer.cancel();
    } catch (error) {
      const isCoded = error instanceof CodedError;
      if (!isCoded) onError(error);
      refuse(codeOf(error), isCoded ? error.message : 'the controller could not handle it');
    }
  });
  call.on('error', finish);
  call.on('cancelled', finish);
  call.on('end', () => {
    call.end();
    finish();
  });
}

function createAgentStream(call: Call, hello: Hello): AgentStream {
  return {
    hello,
    send: (message) => {
      if (!call.cancelled) call.write(toLoose(message));
    },
    end: (reason) => endCall(call, status.ABORTED, reason),
  };
}

function parseHello(hello: LooseHello | undefined): Hello {
  const host = parseHostId(hello?.host);
  const boot = parseBootId(hello?.boot);
  const role = hostRoles.find((known) => known === hello?.role);
  if (hello === undefined || host === undefined || boot === undefined || role === undefined) {
    throw new CodedError(
      'CONTROL_HELLO_INVALID',
      'the first message must be a Hello with host, boot and role',
    );
  }
  if (hello.protocolVersion < PROTOCOL_VERSION_MIN) {
    const versions = `the agent speaks protocol ${hello.protocolVersion}, the oldest understood is ${PROTOCOL_VERSION_MIN}`;
    throw new CodedError('CONTROL_PROTOCOL_TOO_OLD', `${versions}; upgrade the agent`);
  }
  if (!isBounded(hello)) {
    throw new CodedError(
      'CONTROL_HELLO_INVALID',
      `a Hello has at most ${HELLO_ENTRIES_MAX} labels and ${HELLO_ENTRIES_MAX} entries of the inventory, names of ${HELLO_NAME_LENGTH_MAX} and texts of ${HELLO_TEXT_LENGTH_MAX} characters; shorten them`,
    );
  }
  const labels: Labels = { ...hello.labels };
  return { ...hello, host, boot, role, labels, inventory: { ...hello.inventory } };
}

function isBounded({ scope, agentVersion, labels, inventory }: LooseHello): boolean {
  const lists = [Object.entries(labels), Object.entries(inventory)];
  const entries = lists.flat();
  const texts = [scope, agentVersion, ...entries.map(([, text]) => text)];
  return (
    lists.every(({ length }) => length <= HELLO_ENTRIES_MAX) &&
    entries.every(([name]) => name.length <= HELLO_NAME_LENGTH_MAX) &&
    texts.every(({ length }) => length <= HELLO_TEXT_LENGTH_MAX)
  );
}

function hear(handler: AgentStreamHandler, message: LooseAgentMessage): void {
  if (message.body === 'receipt') {
    const command = parseCommandId(message.receipt?.commandId);
    if (command !== undefined) handler.onReceipt(command);
  } else if (message.body === 'outcome' && message.outcome !== undefined) {
    const command = parseCommandId(message.outcome.commandId);
    const outcome = parseOutcome(message.outcome);
    if (command !== undefined && outcome !== undefined) handler.onOutcome(command, outcome);
  }
}

function parseOutcome(outcome: LooseOutcome): Outcome | undefined {
  const { code, sentence } = outcome;
  if (outcome.kind === 'DONE')
    return { kind: 'done', tookMs: outcome.tookMs, sentence, details: { ...outcome.details } };
  if (outcome.kind === 'REFUSED') return { kind: 'refused', code, sentence };
  if (outcome.kind === 'FAILED') return { kind: 'failed', code, sentence };
  if (outcome.kind === 'UNKNOWN') return { kind: 'unknown', sentence };
  return undefined;
}

function toLoose(message: ControllerMessage): object {
  switch (message.kind) {
    case 'welcome':
      return { welcome: message.welcome };
    case 'command':
      return { command: looseCommand(message.command) };
    case 'low-water-mark':
      return { lowWaterMark: message.mark };
    case 'snapshot-request':
      return { snapshotRequest: {} };
    default:
      return unreachable(message);
  }
}

function looseCommand({ order, ...command }: TravellingCommand): object {
  switch (order.kind) {
    case 'restore':
      return { ...command, restore: order };
    case 'mark-known-good':
      return { ...command, markKnownGood: {} };
    case 'undo':
      return { ...command, undo: { commandId: order.command } };
    default:
      return unreachable(order);
  }
}
