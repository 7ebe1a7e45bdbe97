// In: what happened to a pair.
// Out: a CloudEvent on NATS, kept by a JetStream stream for those who come later.
// Never: is what the controller itself remembers by; the incident ledger is.

import {
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  jetstream,
  jetstreamManager,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { CloudEvent, PairEvent } from '@foreshadow/model';
import { CodedError, type NewIdentifier } from '@foreshadow/runtime';
import type { Broker } from './broker.ts';
import { EVENTS_WILDCARD, eventSubject } from './subjects.ts';

export const EVENT_STREAM = 'FORESHADOW_EVENTS';
export const EVENT_BYTES_MAX = 64 * 1024;
export const EVENTS_KEPT_MAX = 100_000;
export const EVENTS_KEPT_BYTES_MAX = 256 * 1024 * 1024;
export const EVENTS_KEPT_MS_MAX = 30 * 24 * 3_600_000;
const DEDUPLICATION_WINDOW_MS = 120_000;
const API_TIMEOUT_MS = 5_000;
const NANOSECONDS = 1_000_000;
const STREAM_NOT_FOUND = 10_059;

/** CloudEvents 1.0, structured. The id makes repetition harmless for JetStream and for readers. */
export function toCloudEvent(
  event: PairEvent,
  options: { readonly source: string; readonly newIdentifier: NewIdentifier },
): CloudEvent {
  return {
    specversion: '1.0',
    id: options.newIdentifier('evt'),
    source: options.source,
    type: `com.foreshadow.${event.family}.${event.what}.v1`,
    subject: event.pair,
    time: new Date(event.atMs).toISOString(),
    datacontenttype: 'application/json',
    data: event.data,
  };
}

export interface EventStream {
  /**
   * Resolves when the server has the event.
   * @throws CodedError EVENT_TOO_LARGE, or EVENT_NOT_STORED after which publishing the same event
   *   again is harmless
   */
  publish(event: CloudEvent, pairEvent: PairEvent): Promise<void>;
}

// Only fields that nats-server 2.9 knows: an older server drops what it does not know without a
// word.
const wanted = {
  name: EVENT_STREAM,
  subjects: [EVENTS_WILDCARD],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  num_replicas: 1,
  max_msgs: EVENTS_KEPT_MAX,
  max_bytes: EVENTS_KEPT_BYTES_MAX,
  max_age: EVENTS_KEPT_MS_MAX * NANOSECONDS,
  max_msg_size: EVENT_BYTES_MAX,
  duplicate_window: DEDUPLICATION_WINDOW_MS * NANOSECONDS,
  deny_delete: true,
  deny_purge: true,
  allow_rollup_hdrs: false,
} as const satisfies Partial<StreamConfig>;

/**
 * Creates the stream where it is missing, and reads back what the server made of it.
 * @throws CodedError EVENT_STREAM_DIFFERS naming each field that is not as asked,
 *   JETSTREAM_UNAVAILABLE
 */
export async function openEventStream(broker: Broker): Promise<EventStream> {
  const { connection } = broker;
  if (connection === undefined)
    throw new CodedError('BROKER_UNREACHABLE', 'the event stream needs a connection first');
  const manager = await jetstreamManager(connection, { timeout: API_TIMEOUT_MS }).catch(
    (cause: unknown) => {
      throw new CodedError(
        'JETSTREAM_UNAVAILABLE',
        'the broker has no JetStream; start nats-server with jetstream enabled',
        { cause },
      );
    },
  );
  const config = await ensureStream(manager);
  const differences = Object.entries(wanted).filter(
    ([field, value]) =>
      // `wanted` satisfies StreamConfig; an absent boolean is false.
      JSON.stringify(config[field as keyof StreamConfig] ?? false) !== JSON.stringify(value),
  );
  if (differences.length > 0) {
    const fields = differences
      .map(([field, value]) => `${field} should be ${JSON.stringify(value)}`)
      .join(', ');
    throw new CodedError(
      'EVENT_STREAM_DIFFERS',
      `stream ${EVENT_STREAM} exists otherwise than asked: ${fields}; mend or remove it`,
    );
  }
  const client = jetstream(connection, { timeout: API_TIMEOUT_MS });
  return {
    publish: async (event, { family, pair }) => {
      const bytes = Buffer.from(JSON.stringify(event));
      if (bytes.length > EVENT_BYTES_MAX) {
        throw new CodedError(
          'EVENT_TOO_LARGE',
          `event ${event.type} has ${bytes.length} bytes, more than ${EVENT_BYTES_MAX}`,
        );
      }
      if (!broker.isConnected)
        throw new CodedError('EVENT_NOT_STORED', 'no connection to the broker now');
      await client
        .publish(eventSubject(family, pair), bytes, { msgID: event.id, timeout: API_TIMEOUT_MS })
        .catch(async (cause: unknown) => {
          // Nobody answers for a stream that somebody has deleted; the next attempt finds it again.
          await ensureStream(manager).catch(() => undefined);
          throw new CodedError('EVENT_NOT_STORED', `event ${event.id} was not acknowledged`, {
            cause,
          });
        });
    },
  };
}

async function ensureStream(manager: JetStreamManager): Promise<StreamConfig> {
  try {
    return (await manager.streams.info(EVENT_STREAM)).config;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error;
    // A copy: the library writes into what it is given.
    return (await manager.streams.add({ ...wanted })).config;
  }
}
