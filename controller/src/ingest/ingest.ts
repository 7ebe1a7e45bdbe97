// In: messages of the broker, as bytes. Out: batches that may be trusted, each once; marks once
// they are durable.
// Never: loses what it handed out: a batch counts as stored only when the caller confirms the
// commit.

import {
  BATCH_BYTES_MAX,
  parseHostId,
  type AcceptedBatch,
  type Batch,
  type BootId,
  type HostCoverage,
  type HostId,
  type LowWaterMark,
} from '@foreshadow/model';
import { BoundedQueue, codeOf } from '@foreshadow/runtime';
import { coverageAfter, highestOf, isCovered, markOf, type Settled } from './coverage.ts';
import { SEQUENCE_AHEAD_MAX, isIdentified, refusalOf } from './validate.ts';

/** Messages that wait for `take`: at 10,000 hosts and 10 s, 16 s of them. */
export const INGEST_QUEUE_MAX = 16_384;
/** Bytes that wait, because a message may be a thousand times larger than another. */
export const INGEST_QUEUE_BYTES_MAX = 64 * 1024 * 1024;

export interface SampleMessage {
  readonly subject: string;
  /** Owned by ingest from here on. */
  readonly data: Uint8Array;
  /** Controller's clock, epoch ms. */
  readonly receivedMs: number;
}

/**
 * Everything up to and including `sequence` of `boot` of `host` is durable, or known to be lost.
 */
export interface HostMark extends LowWaterMark {
  readonly host: HostId;
}

/** What `take` found in the messages that waited. */
export interface Taken {
  readonly batches: readonly AcceptedBatch[];
  /**
   * Refused though it is certain which batches they are: their agents need not send them again.
   */
  readonly lost: readonly Settled[];
}

/** Since the start. A gauge where the name has no `Count`. */
export interface IngestCounters {
  readonly acceptedCount: number;
  /** Normal: an agent repeats what it does not know to be stored. */
  readonly duplicateCount: number;
  /** Readings left out of accepted batches because they were not finite. */
  readonly droppedReadingCount: number;
  readonly refusedCounts: ReadonlyMap<string, number>;
  readonly queueLength: number;
  readonly queueBytes: number;
}

export interface IngestOptions {
  /** Throws a CodedError for bytes that are no batch. */
  readonly decode: (bytes: Uint8Array) => Batch;
  /** Hosts become known by their control stream. */
  readonly isKnownHost: (host: HostId) => boolean;
  /** What the store held when it was opened. */
  readonly coverages: Iterable<HostCoverage>;
}

export interface Ingest {
  /**
   * For the broker's callback: never throws, decodes nothing; what is too large or too much is
   * refused and counted.
   */
  offer(message: SampleMessage): void;
  /** Examines up to `countMax` waiting messages. The caller commits what it gets and confirms. */
  take(countMax: number): Taken;
  /**
   * What will hold of each host in `taken` once it is durable; for the store to write in the same
   * commit.
   */
  coverageWith(taken: Taken): readonly HostCoverage[];
  /** After the durable commit. @returns the marks that advanced, to be announced to the hosts */
  confirm(taken: Taken): readonly HostMark[];
  /** All marks of a host, the boot used last standing last; for a host that has just connected. */
  marks(host: HostId): readonly HostMark[];
  counters(): IngestCounters;
}

interface State {
  readonly options: IngestOptions;
  readonly queue: BoundedQueue<SampleMessage>;
  readonly coverages: Map<HostId, HostCoverage>;
  /** Taken and not yet confirmed: `<host> <boot> <sequence>`. */
  readonly pending: Set<string>;
  readonly refusedCounts: Map<string, number>;
  queueBytes: number;
  acceptedCount: number;
  duplicateCount: number;
  droppedReadingCount: number;
}

export function createIngest(options: IngestOptions): Ingest {
  const state: State = {
    options,
    queue: new BoundedQueue(INGEST_QUEUE_MAX),
    coverages: new Map(Array.from(options.coverages, (coverage) => [coverage.host, coverage])),
    pending: new Set(),
    refusedCounts: new Map(),
    queueBytes: 0,
    acceptedCount: 0,
    duplicateCount: 0,
    droppedReadingCount: 0,
  };
  return {
    offer: (message) => offer(state, message),
    take: (countMax) => take(state, countMax),
    coverageWith: (taken) => coverageWith(state, taken),
    confirm: (taken) => confirm(state, taken),
    marks: (host) => marksOf(coverageOf(state, host)),
    counters: () => ({
      acceptedCount: state.acceptedCount,
      duplicateCount: state.duplicateCount,
      droppedReadingCount: state.droppedReadingCount,
      refusedCounts: state.refusedCounts,
      queueLength: state.queue.length,
      queueBytes: state.queueBytes,
    }),
  };
}

function offer(state: State, message: SampleMessage): void {
  const sizeBytes = message.data.length;
  if (sizeBytes > BATCH_BYTES_MAX) refuse(state, 'MESSAGE_TOO_LARGE');
  else if (state.queueBytes + sizeBytes > INGEST_QUEUE_BYTES_MAX || !state.queue.offer(message))
    refuse(state, 'QUEUE_FULL');
  else state.queueBytes += sizeBytes;
}

function take(state: State, countMax: number): Taken {
  const taken = { batches: new Array<AcceptedBatch>(), lost: new Array<Settled>() };
  for (const message of state.queue.take(countMax)) {
    state.queueBytes -= message.data.length;
    examine(state, message, taken);
  }
  state.acceptedCount += taken.batches.length;
  return taken;
}

/** Adds to `taken` what was neither a duplicate nor refused without an identity. */
function examine(
  state: State,
  message: SampleMessage,
  taken: { readonly batches: AcceptedBatch[]; readonly lost: Settled[] },
): void {
  const host = parseHostId(message.subject.slice(message.subject.lastIndexOf('.') + 1));
  if (host === undefined || !state.options.isKnownHost(host)) return refuse(state, 'HOST_UNKNOWN');
  let batch: Batch;
  try {
    batch = state.options.decode(message.data);
  } catch (error) {
    return refuse(state, codeOf(error));
  }
  const refusal = refusalOf(batch, { host, receivedMs: message.receivedMs });
  if (refusal !== undefined && !isIdentified(refusal)) return refuse(state, refusal);

  const ranges = coverageOf(state, host).boots.find(({ boot }) => boot === batch.boot)?.ranges;
  if (ranges !== undefined && batch.sequence > highestOf(ranges) + SEQUENCE_AHEAD_MAX)
    return refuse(state, 'SEQUENCE_INVALID');
  const identity = identityOf(batch);
  if (isCovered(ranges ?? [], batch.sequence) || state.pending.has(identity)) {
    state.duplicateCount += 1;
    return undefined;
  }
  state.pending.add(identity);
  if (refusal !== undefined) {
    taken.lost.push(ownRange(batch));
    return refuse(state, refusal);
  }
  taken.batches.push({ batch: withFiniteReadings(state, batch), bytes: message.data });
  return undefined;
}

function refuse(state: State, code: string): undefined {
  state.refusedCounts.set(code, (state.refusedCounts.get(code) ?? 0) + 1);
}

function withFiniteReadings(state: State, batch: Batch): Batch {
  const readings = batch.readings.filter((reading) => Number.isFinite(reading.value));
  if (readings.length === batch.readings.length) return batch;
  state.droppedReadingCount += batch.readings.length - readings.length;
  return { ...batch, readings };
}

function coverageWith(state: State, { batches, lost }: Taken): readonly HostCoverage[] {
  const settled = [
    ...batches.flatMap(({ batch }) => [
      ...batch.gaps.map((gap) => ({ host: batch.host, ...gap })),
      ownRange(batch),
    ]),
    ...lost,
  ];
  return Array.from(
    Map.groupBy(settled, ({ host }) => host),
    ([host, ofHost]) => coverageAfter(coverageOf(state, host), ofHost),
  );
}

function confirm(state: State, taken: Taken): readonly HostMark[] {
  const advanced: HostMark[] = [];
  for (const coverage of coverageWith(state, taken)) {
    const before = new Map<BootId, number>(
      marksOf(coverageOf(state, coverage.host)).map(({ boot, sequence }) => [boot, sequence]),
    );
    state.coverages.set(coverage.host, coverage);
    for (const mark of marksOf(coverage)) {
      if (mark.sequence > (before.get(mark.boot) ?? 0)) advanced.push(mark);
    }
  }
  for (const { batch } of taken.batches) state.pending.delete(identityOf(batch));
  for (const { host, boot, firstSequence: sequence } of taken.lost)
    state.pending.delete(identityOf({ host, boot, sequence }));
  return advanced;
}

function coverageOf(state: State, host: HostId): HostCoverage {
  return state.coverages.get(host) ?? { host, boots: [] };
}

function marksOf({ host, boots }: HostCoverage): readonly HostMark[] {
  return boots.map(({ boot, ranges }) => ({ host, boot, sequence: markOf(ranges) }));
}

function ownRange({ host, boot, sequence }: Batch): Settled {
  return { host, boot, firstSequence: sequence, lastSequence: sequence };
}

function identityOf({ host, boot, sequence }: Pick<Batch, 'host' | 'boot' | 'sequence'>): string {
  return `${host} ${boot} ${sequence}`;
}
