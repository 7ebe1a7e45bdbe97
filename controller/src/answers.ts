// In: the rooms and the loop's state.
// Out: what the REST API answers, and the commands that it asks for.
// Never: computes anything that a room does not know already.

import { parseHostId, VERSION, type PairState } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import type { Broker } from '@foreshadow/wire';
import type { ApiPorts, EventRing, SelfMetric } from './api/index.ts';
import type { NatsServer } from './broker/index.ts';
import type { PairLife, Pipeline } from './pipeline.ts';
import type { Rooms } from './rooms.ts';

/** A loop that has not gone round for this long is stuck. */
export const TICK_AGE_MS_MAX = 15_000;
/** The broker takes an event in milliseconds; one that waits so long is not taken. */
export const EVENTS_WAIT_MS_MAX = 10_000;

export interface AnswerSources {
  readonly rooms: Rooms;
  readonly pipeline: Pipeline;
  readonly events: EventRing;
  readonly broker: Broker;
  /** Absent when the broker is not ours. */
  readonly natsServer: NatsServer | undefined;
  readonly clock: Clock;
  readonly startedMs: number;
}

export function createAnswers(sources: AnswerSources): ApiPorts {
  const { rooms, pipeline } = sources;
  const { registry, store, incidents, dispatch } = rooms;
  return {
    hosts: () => registry.list(),
    host: (id) => registry.get(id),
    series: (host, { metric, startMs, endMs }) => {
      const window = store.readWindow(host, { startMs, endMs });
      return {
        times: window?.times ?? new Float64Array(0),
        series: window?.series.get(metric) ?? [],
      };
    },
    fingerprints: (host) => [...store.items(host).values()],
    pairs: () => pipeline.lives.map(toPairState),
    pair: (id) => {
      const life = pipeline.life(id);
      return life === undefined ? undefined : toPairState(life);
    },
    deviation: (pair) => pipeline.life(pair)?.deviation,
    drifts: (pair) => pipeline.life(pair)?.drifts ?? [],
    incidents: () => incidents.list(),
    incident: (id) => {
      const incident = incidents.get(id);
      return incident === undefined ? undefined : { incident, records: [...incidents.records(id)] };
    },
    commands: () => dispatch.list(),
    command: (id) => dispatch.get(id),
    requestCommand: (request) => pipeline.requestCommand(request),
    events: (query, signal) => sources.events.read(query, signal),
    health: () =>
      condition([
        [
          pipeline.tickAgeMs > TICK_AGE_MS_MAX,
          'LOOP_STUCK',
          'The loop has not gone round for 15 s.',
        ],
      ]),
    readiness: () =>
      condition([
        [
          pipeline.tickAgeMs > TICK_AGE_MS_MAX,
          'LOOP_STUCK',
          'The loop has not gone round for 15 s.',
        ],
        [
          !sources.broker.isConnected,
          'BROKER_AWAY',
          'There is no connection to the broker now; it is tried again and again.',
        ],
        [
          rooms.outbox.waitingMs > EVENTS_WAIT_MS_MAX,
          'EVENTS_WAIT',
          'Events have waited for the broker for over 10 s; the log says why.',
        ],
      ]),
    version: () => ({ version: VERSION, node: process.version, startedMs: sources.startedMs }),
    metrics: () => selfMetrics(sources),
  };
}

function toPairState({ pair, verdict, drifts }: PairLife): PairState {
  const state = { pair, driftCount: drifts.length };
  return verdict === undefined ? state : { ...state, verdict };
}

function condition(
  checks: readonly (readonly [isWrong: boolean, code: string, sentence: string])[],
): ReturnType<ApiPorts['health']> {
  const reasons = checks
    .filter(([isWrong]) => isWrong)
    .map(([, code, sentence]) => ({ code, sentence }));
  return { isOk: reasons.length === 0, reasons };
}

function selfMetrics({
  rooms,
  pipeline,
  broker,
  natsServer,
}: AnswerSources): readonly SelfMetric[] {
  const ingest = rooms.ingest.counters();
  const hosts = rooms.registry.list();
  const statuses = pipeline.lives.map(({ verdict }) => verdict?.status ?? 'none');
  return [
    counter('ingest_batches_accepted', 'Batches accepted.', ingest.acceptedCount),
    counter('ingest_batches_duplicate', 'Batches that were there already.', ingest.duplicateCount),
    counter(
      'ingest_readings_dropped',
      'Readings that were not finite.',
      ingest.droppedReadingCount,
    ),
    {
      name: 'foreshadow_ingest_batches_refused_total',
      kind: 'counter',
      meaning: 'Messages refused, by code.',
      samples: [...ingest.refusedCounts].map(([code, value]) => ({ labels: { code }, value })),
    },
    gauge('ingest_queue_messages', 'Messages waiting.', ingest.queueLength),
    gauge('ingest_queue_bytes', 'Bytes waiting.', ingest.queueBytes),
    ...storeMetrics(rooms.store),
    counter(
      'incidents_suppressed',
      'Drifts for which no incident was opened, because too many are open.',
      rooms.incidents.suppressedCount(),
    ),
    gauge('hosts', 'Hosts known.', hosts.length),
    gauge(
      'hosts_connected',
      'Hosts whose control stream is open.',
      hosts.filter(({ isConnected }) => isConnected).length,
    ),
    {
      name: 'foreshadow_pairs',
      kind: 'gauge',
      meaning: 'Pairs by the status of their newest verdict.',
      samples: [...new Set(statuses)].map((status) => ({
        labels: { status },
        value: statuses.filter((other) => other === status).length,
      })),
    },
    gauge('events_pending', 'Events waiting for the broker.', rooms.outbox.pendingCount),
    counter(
      'events_published',
      'Events that the broker has acknowledged.',
      rooms.outbox.publishedCount,
    ),
    counter('events_lost', 'Events that will never be published.', rooms.outbox.lostCount),
    gauge(
      'broker_connected',
      '1 while there is a connection to the broker.',
      broker.isConnected ? 1 : 0,
    ),
    counter(
      'broker_restarts',
      'Times that our own nats-server had to be started again.',
      natsServer?.restartCount ?? 0,
    ),
    gauge('tick_age_seconds', 'Time since the loop last went round.', pipeline.tickAgeMs / 1_000),
  ];
}

function storeMetrics(room: Rooms['store']): readonly SelfMetric[] {
  const store = room.counters();
  return [
    gauge('store_hosts', 'Hosts with samples in memory.', store.hosts),
    gauge('store_series', 'Series in memory.', store.series),
    gauge('store_points', 'Points of all hosts in memory.', store.points),
    gauge('store_items', 'Configuration items tracked.', store.items),
    counter(
      'store_records_corrupt',
      'Records skipped for a wrong checksum.',
      store.corruptRecordCount,
    ),
    counter(
      'store_readings_refused',
      'Readings that are stored but have no place in memory.',
      store.refusedReadingCount,
    ),
    counter(
      'store_items_refused',
      'Configuration items for which a host had no place left.',
      store.refusedItemCount,
    ),
  ];
}

function gauge(name: string, meaning: string, value: number): SelfMetric {
  return { name: `foreshadow_${name}`, kind: 'gauge', meaning, samples: [{ value }] };
}

function counter(name: string, meaning: string, value: number): SelfMetric {
  return { name: `foreshadow_${name}_total`, kind: 'counter', meaning, samples: [{ value }] };
}

/** @throws TypeError for a name that the configuration's schema should have refused */
export function hostIdOf(name: string): NonNullable<ReturnType<typeof parseHostId>> {
  const id = parseHostId(name);
  if (id === undefined) throw new TypeError(`${name} is not a host name`);
  return id;
}
