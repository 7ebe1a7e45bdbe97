// What the api needs of the other rooms; pipeline.ts fills it in.

import type {
  CommandId,
  CommandRecord,
  Condition,
  Drift,
  EventPage,
  HostId,
  HostRecord,
  Incident,
  IncidentId,
  IncidentStory,
  InstanceSeries,
  MetricName,
  Order,
  PairDeviation,
  PairId,
  PairState,
  TrackedItem,
  VersionAnswer,
} from '@foreshadow/model';

type Answer<Value> = Value | Promise<Value>;

/** One number of the controller about itself, as `/metrics` shows it. Counters only grow. */
export interface SelfMetric {
  /** `foreshadow_…`, snake case, base unit; `_total` for counters. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly meaning: string;
  /** All samples of one metric carry the same label names. */
  readonly samples: readonly {
    readonly labels?: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/** What a caller wants done to a host. */
export interface CommandRequest {
  readonly host: HostId;
  readonly order: Order;
  readonly isDryRun: boolean;
  readonly requestedBy: string;
  readonly reason: string;
  /** Given by the caller. The api answers repetitions from memory, while they are under way too. */
  readonly idempotencyKey?: string;
}

/**
 * Readings answer what is known now, in any order; the api sorts, pages and bounds. Absent things
 * are `undefined`.
 */
export interface ApiPorts {
  hosts(): Answer<readonly HostRecord[]>;
  host(id: HostId): Answer<HostRecord | undefined>;
  /**
   * Raw readings of one metric in [startMs, endMs]; `values[i]` belongs to `times[i]`. The api
   * thins them to what was asked for.
   */
  series(
    host: HostId,
    span: { readonly metric: MetricName; readonly startMs: number; readonly endMs: number },
  ): Answer<{ readonly times: Float64Array; readonly series: readonly InstanceSeries[] }>;
  fingerprints(host: HostId): Answer<readonly TrackedItem[]>;

  pairs(): Answer<readonly PairState[]>;
  pair(id: PairId): Answer<PairState | undefined>;
  /** The newest evaluation; undefined before the first. */
  deviation(pair: PairId): Answer<PairDeviation | undefined>;
  drifts(pair: PairId): Answer<readonly Drift[]>;

  incidents(): Answer<readonly Incident[]>;
  incident(id: IncidentId): Answer<IncidentStory | undefined>;

  commands(): Answer<readonly CommandRecord[]>;
  command(id: CommandId): Answer<CommandRecord | undefined>;
  /**
   * Sends a command. May answer as soon as it is sent; the caller then asks for the command until
   * it has ended.
   * @throws CodedError when it cannot be sent; code and message are shown to the caller with status
   * 409, or 422 for IDEMPOTENCY_KEY_REUSED
   */
  requestCommand(request: CommandRequest): Promise<CommandRecord>;

  /** See `createEventRing`, whose `read` is this port. */
  events(query: EventQuery, signal: AbortSignal): Promise<EventPage>;

  /** Whether the process works; not whether its neighbours do. */
  health(): Condition;
  /** Whether it can do its job now: broker, store, configuration. */
  readiness(): Condition;
  version(): VersionAnswer;
  metrics(): readonly SelfMetric[];
}

export interface EventQuery {
  /** Sequence number of the last event that the caller has; 0 for none. */
  readonly after: number;
  readonly limit: number;
  /** How long to wait when there is none yet, ms. */
  readonly waitMs: number;
}
