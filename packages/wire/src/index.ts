// In: model types. Out: the same at the other end of NATS and gRPC.
// Never: decides anything; the only room that knows protobuf, NATS and gRPC.

export { GAPS_PER_BATCH_MAX, UNITS_PER_BATCH_MAX, decodeBatch, encodeBatch } from './batch.ts';
export {
  GROUPS_MAX,
  INSTANCE_BYTES_MAX,
  decodeFrame,
  encodeFrame,
  type DecodedFrame,
} from './frame.ts';
export { openBroker, type Broker, type BrokerMessage, type BrokerOptions } from './broker.ts';
export { EVENTS_WILDCARD, SAMPLES_WILDCARD, eventSubject, samplesSubject } from './subjects.ts';
export {
  EVENT_BYTES_MAX,
  EVENT_STREAM,
  openEventStream,
  toCloudEvent,
  type EventStream,
} from './events.ts';
export { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from './control-messages.ts';
export type {
  AgentMessage,
  ControllerMessage,
  Hello,
  TravellingCommand,
  Welcome,
} from './control-messages.ts';
export { dialControl, type ControlStream, type DialOptions } from './control-agent.ts';
export {
  HELLO_ENTRIES_MAX,
  HELLO_LIMIT_MS,
  HELLO_NAME_LENGTH_MAX,
  HELLO_TEXT_LENGTH_MAX,
  serveControl,
  type AgentStream,
  type AgentStreamHandler,
  type ControlServer,
  type ServeControlOptions,
} from './control-controller.ts';
export { decodeControllerMessage, encodeAgentMessage } from './control-codec.ts';
