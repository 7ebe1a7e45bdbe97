// In: what an agent says, or bytes from the controller.
// Out: bytes (proto/control.proto), or what the controller says.
// Never: knows gRPC. The controller's end uses proto-loader; test/contract/wire.test.ts holds the
// two together.

import protobuf from 'protobufjs/minimal.js';
import { parseBootId, parseCommandId, type Order, type Outcome } from '@foreshadow/model';
import { CodedError, codeOf, unreachable } from '@foreshadow/runtime';
import type {
  AgentMessage,
  ControllerMessage,
  Hello,
  TravellingCommand,
  Welcome,
} from './control-messages.ts';
import { writeMap, type Reader, type Writer } from './map.ts';

export function encodeAgentMessage(message: AgentMessage): Uint8Array {
  const writer = protobuf.Writer.create();
  switch (message.kind) {
    case 'hello':
      return writeHello(writer.uint32(text(1)).fork(), message.hello)
        .ldelim()
        .finish();
    case 'receipt':
      return writer
        .uint32(text(2))
        .fork()
        .uint32(text(1))
        .string(message.command)
        .ldelim()
        .finish();
    case 'outcome':
      writer.uint32(text(3)).fork().uint32(text(1)).string(message.command);
      return writeOutcome(writer, message.outcome).ldelim().finish();
    default:
      return unreachable(message);
  }
}

function writeHello(writer: Writer, hello: Hello): Writer {
  writer.uint32(number(1)).uint32(hello.protocolVersion);
  writer.uint32(text(2)).string(hello.host);
  writer.uint32(text(3)).string(hello.boot);
  writer.uint32(text(4)).string(hello.role);
  writer.uint32(text(5)).string(hello.scope);
  writer.uint32(text(6)).string(hello.agentVersion);
  writeMap(writer, text(7), hello.labels);
  return writeMap(writer, text(8), hello.inventory);
}

function writeOutcome(writer: Writer, outcome: Outcome): Writer {
  writer.uint32(number(2)).uint32(outcomeNumbers[outcome.kind]);
  if ('code' in outcome) writer.uint32(text(3)).string(outcome.code);
  writer.uint32(text(4)).string(outcome.sentence);
  if (outcome.kind !== 'done') return writer;
  writer.uint32((5 << 3) | 1).double(outcome.tookMs);
  return writeMap(writer, text(6), outcome.details);
}

const outcomeNumbers = { done: 1, refused: 2, failed: 3, unknown: 4 } as const;

/**
 * @returns undefined for a kind of message that this version does not know
 * @throws CodedError WIRE_CONTROL_MALFORMED
 */
export function decodeControllerMessage(bytes: Uint8Array): ControllerMessage | undefined {
  try {
    return readControllerMessage(protobuf.Reader.create(bytes));
  } catch (error) {
    if (codeOf(error) === 'WIRE_CONTROL_MALFORMED') throw error;
    throw new CodedError(
      'WIRE_CONTROL_MALFORMED',
      `control message of ${bytes.length} bytes is not protobuf`,
      {
        cause: error,
      },
    );
  }
}

function readControllerMessage(reader: Reader): ControllerMessage | undefined {
  let message: ControllerMessage | undefined;
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key === text(1)) message = { kind: 'welcome', welcome: readWelcome(reader) };
    else if (key === text(2)) message = { kind: 'command', command: readCommand(reader) };
    else if (key === text(3)) message = readMark(reader);
    else if (key === text(4)) {
      reader.skipType(2);
      message = { kind: 'snapshot-request' };
    } else reader.skipType(key & 7);
  }
  return message;
}

function readWelcome(reader: Reader): Welcome {
  const end = reader.uint32() + reader.pos;
  let [protocolVersion, controllerVersion, partition] = [0, '', ''];
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === number(1)) protocolVersion = reader.uint32();
    else if (key === text(2)) controllerVersion = reader.string();
    else if (key === text(3)) partition = reader.string();
    else reader.skipType(key & 7);
  }
  return { protocolVersion, controllerVersion, partition };
}

function readMark(reader: Reader): ControllerMessage {
  const end = reader.uint32() + reader.pos;
  let [boot, sequence] = ['', 0];
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === text(1)) boot = reader.string();
    else if (key === number(2)) sequence = reader.uint32();
    else reader.skipType(key & 7);
  }
  return {
    kind: 'low-water-mark',
    mark: { boot: parseBootId(boot) ?? refuse('a mark without a boot'), sequence },
  };
}

function readCommand(reader: Reader): TravellingCommand {
  const end = reader.uint32() + reader.pos;
  let [id, isDryRun, requestedBy, reason, timeLimitMs] = ['', false, '', '', 0];
  let order: Order | undefined;
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === text(1)) id = reader.string();
    else if (key === number(2)) isDryRun = reader.bool();
    else if (key === text(3)) requestedBy = reader.string();
    else if (key === text(4)) reason = reader.string();
    else if (key === number(5)) timeLimitMs = reader.uint32();
    else if (key === text(10)) order = readRestore(reader);
    else if (key === text(11)) {
      reader.skipType(2);
      order = { kind: 'mark-known-good' };
    } else if (key === text(12)) order = readUndo(reader);
    else reader.skipType(key & 7);
  }
  if (order === undefined) refuse('a command whose order this version does not know');
  return {
    id: parseCommandId(id) ?? refuse('a command without an id'),
    order,
    isDryRun,
    requestedBy,
    reason,
    timeLimitMs,
  };
}

function readRestore(reader: Reader): Order {
  const [item, expectedDigest, targetDigest] = readTexts(reader, 3);
  if (item === undefined || expectedDigest === undefined || targetDigest === undefined) {
    refuse('a restore without item, expected or target digest');
  }
  return { kind: 'restore', item, expectedDigest, targetDigest };
}

function readUndo(reader: Reader): Order {
  const [id] = readTexts(reader, 1);
  return { kind: 'undo', command: parseCommandId(id) ?? refuse('an undo without a command') };
}

/** Text fields 1 to `fieldCount` of a message; undefined where absent or empty. */
function readTexts(reader: Reader, fieldCount: number): (string | undefined)[] {
  const end = reader.uint32() + reader.pos;
  const texts: (string | undefined)[] = Array.from({ length: fieldCount });
  while (reader.pos < end) {
    const key = reader.uint32();
    const field = key >>> 3;
    if (key === text(field) && field <= fieldCount) texts[field - 1] = reader.string() || undefined;
    else reader.skipType(key & 7);
  }
  return texts;
}

function refuse(what: string): never {
  throw new CodedError('WIRE_CONTROL_MALFORMED', `control message has ${what}; it was refused`);
}

function text(field: number): number {
  return (field << 3) | 2;
}

function number(field: number): number {
  return field << 3;
}
