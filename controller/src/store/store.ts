// In: trusted batches, records and small states. Out: the same, durable; windows, tracked items,
// ledgers.
// Never: shows a reading before it is durable. What cannot be read is skipped, counted and named.

import { strict as assert } from 'node:assert';
import type {
  AcceptedBatch,
  Batch,
  BootId,
  HostCoverage,
  HostId,
  IncidentRecord,
  ItemKey,
  RawWindow,
  TrackedItem,
} from '@foreshadow/model';
import { CodedError, describeError, type Clock, type Logger } from '@foreshadow/runtime';
import { HostItems, type ItemChange, type ItemRecord, type ItemsHead } from './items.ts';
import {
  describeKey,
  incidentKey,
  itemRecordKey,
  journalKey,
  journalRange,
  parseItemRecordKey,
  prefixRange,
  prefixes,
  textKey,
  type KeyRange,
} from './keys.ts';
import { corrupt, openLevel, type DurableLevel, type Write } from './level.ts';
import { nextHost, removeClosedIncidents, removeExpired } from './retention.ts';
import { HostRing, RING_POINTS } from './ring.ts';
import { seal, sealJson, unseal, unsealJson } from './seal.ts';

/** Batches of one commit. Callers commit once a second, or when so many wait. */
export const COMMIT_BATCHES_MAX = 1_024;
const FORMAT_VERSION = 1;
const CORRUPT_LOGGED_MAX = 20;
const HOUR_MS = 3_600_000;

export interface StoreOptions {
  /** Folder of the store alone; made where missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Journal records older than this, by their host's clock, are removed by `compactionStep`. */
  readonly retentionHours: number;
  /** The inverse of what encoded `AcceptedBatch.bytes`. */
  readonly decode: (bytes: Uint8Array) => Batch;
  /** Points of each host in memory; `RING_POINTS` by default. */
  readonly ringPoints?: number;
}

/** Gauges, except where the name ends in `Count`: since the store was opened. */
export interface StoreCounters {
  readonly hosts: number;
  readonly points: number;
  readonly series: number;
  readonly items: number;
  readonly corruptRecordCount: number;
  /** Readings that are in the journal but have no place in memory. */
  readonly refusedReadingCount: number;
  /** Items that are not tracked because their host has too many. */
  readonly refusedItemCount: number;
}

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Opens, checks and loads the store. Cost: the newest `ringPoints` records of each host are read
 * and decoded.
 * @throws CodedError STORE_LOCKED, STORE_CORRUPT, STORE_OPEN_FAILED, STORE_FORMAT_UNKNOWN
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const level = await openLevel(options.path);
  const store = new Store(level, options);
  try {
    await store.load();
  } catch (error) {
    await level[Symbol.asyncDispose]();
    throw error instanceof CodedError
      ? error
      : corrupt(options.path, 'its records cannot be read', error);
  }
  return store;
}

export class Store implements AsyncDisposable {
  readonly #level: DurableLevel;
  readonly #options: StoreOptions;
  readonly #rings = new Map<HostId, HostRing>();
  readonly #items = new Map<HostId, HostItems>();
  #corruptRecordCount = 0;
  #retentionAfter: HostId | undefined;

  /** Use `openStore`. */
  constructor(level: DurableLevel, options: StoreOptions) {
    this.#level = level;
    this.#options = options;
  }

  /**
   * Commits batches, their hosts' coverage and what their fingerprints changed: all or nothing, on
   * the disk when it resolves.
   * To append a batch again writes it over itself. Calls are carried out one after the other.
   *
   * @param coverages what ingest will know of the hosts after this commit
   * @returns the items that changed, in order
   * @throws CodedError STORE_WRITE_FAILED; the store writes nothing more, and the process should
   * end
   */
  async append(
    batches: readonly AcceptedBatch[],
    coverages: readonly HostCoverage[],
  ): Promise<readonly ItemChange[]> {
    assert(batches.length <= COMMIT_BATCHES_MAX, 'too many batches for one commit');
    const nowMs = this.#options.clock.nowMs();
    const writes: Write[] = [];
    const changes: ItemChange[] = [];
    for (const { batch, bytes } of batches) {
      const key = journalKey({ ...batch, timeMs: batch.wallMs });
      writes.push({ key, value: seal(key, bytes) });
      changes.push(...this.#applyFingerprints(batch, { nowMs, writes }));
    }
    for (const coverage of coverages)
      writes.push(jsonWrite(textKey(prefixes.coverage, coverage.host), coverage));
    await this.#level.write(writes);
    for (const { batch } of batches) this.#ringOf(batch.host).put(batch);
    return changes;
  }

  /** What ingest must know after a restart, so that nothing is stored twice. */
  async loadCoverages(): Promise<readonly HostCoverage[]> {
    const coverages: HostCoverage[] = [];
    for await (const { value } of this.#scan(prefixRange(prefixes.coverage)))
      coverages.push(value as HostCoverage); // Its checksum says that `append` wrote it.
    return coverages;
  }

  /**
   * @returns views into memory, valid until the next `append`; undefined when nothing of the host
   * lies in [startMs, endMs]
   */
  readWindow(host: HostId, span: Span): RawWindow | undefined {
    return this.#rings.get(host)?.window(span);
  }

  /** From the disk: the first `pointsMax` batches of [startMs, endMs], in the order of keys. */
  async *readRange(
    host: HostId,
    range: Span & { readonly pointsMax: number },
  ): AsyncGenerator<Batch, void, void> {
    let count = 0;
    for await (const batch of this.#journal(journalRange(host, range))) {
      if (batch.wallMs < range.startMs || batch.wallMs > range.endMs) continue;
      if (count === range.pointsMax) return;
      count += 1;
      yield batch;
    }
  }

  /**
   * Everything ever seen of the host and not forgotten, removed items included; empty for an
   * unknown host.
   */
  items(host: HostId): ReadonlyMap<ItemKey, TrackedItem> {
    return this.#items.get(host)?.items ?? new Map<ItemKey, TrackedItem>();
  }
  /** Rises with each report that changed an item; 0 for an unknown host. Kept over restarts. */
  fingerprintVersion(host: HostId): number {
    return this.#items.get(host)?.head.version ?? 0;
  }
  /** The host's agent runs as `boot`; a run that is new owes a snapshot. Seen at once. */
  async greet(host: HostId, boot: BootId): Promise<void> {
    const items = this.#itemsOf(host);
    if (items.head.boot === boot) return;
    items.greet(boot);
    await this.#level.write([headWrite(host, items)]);
  }
  /** @returns false until its present run told a whole snapshot, and after a lost record */
  hasSnapshot(host: HostId): boolean {
    return this.#items.get(host)?.head.snapshot !== undefined;
  }

  /**
   * Durable when it resolves. A sequence is written once; to write it again with the same record
   * does no harm.
   */
  async appendIncidentRecords(records: readonly IncidentRecord[]): Promise<void> {
    await this.#level.write(
      records.map((record) => jsonWrite(incidentKey(record.sequence), record)),
    );
  }

  /** In the order of their sequence. */
  async *loadIncidentRecords(): AsyncGenerator<IncidentRecord, void, void> {
    for await (const { value } of this.#scan(prefixRange(prefixes.incident)))
      yield value as IncidentRecord; // Its checksum says that `appendIncidentRecords` wrote it.
  }

  /** Durable when it resolves. @param key such as `host/web-1`; @param value any JSON */
  async putState(key: string, value: unknown): Promise<void> {
    await this.putStates([[key, value]]);
  }

  /** As `putState`, all or nothing and with one wait for the disk. */
  async putStates(states: readonly (readonly [key: string, value: unknown])[]): Promise<void> {
    if (states.length === 0) return;
    await this.#level.write(
      states.map(([key, value]) => jsonWrite(textKey(prefixes.state, key), value)),
    );
  }

  /** What was never put may be removed, too. Durable when it resolves. */
  async removeState(key: string): Promise<void> {
    await this.#level.write([{ key: textKey(prefixes.state, key) }]);
  }

  /** All states whose key begins with `keyPrefix`, by key; corrupt ones are skipped and counted. */
  async *readStates(
    keyPrefix: string,
  ): AsyncGenerator<{ readonly key: string; readonly value: unknown }, void, void> {
    for await (const { key, value } of this.#scan(prefixRange(prefixes.state, keyPrefix)))
      yield { key: Buffer.from(key).toString().slice(1), value };
  }

  /**
   * Removes a bounded number of journal records and incidents that are too old. @returns whether
   * this round has more to do
   */
  async compactionStep(): Promise<boolean> {
    const nowMs = this.#options.clock.nowMs();
    const cutoffMs = nowMs - this.#options.retentionHours * HOUR_MS;
    const after = this.#retentionAfter;
    this.#retentionAfter = await removeExpired(this.#level, { after, cutoffMs });
    if (this.#retentionAfter !== undefined) return true;
    return removeClosedIncidents(this.#level, nowMs);
  }

  counters(): StoreCounters {
    const rings = [...this.#rings.values()];
    const tracked = [...this.#items.values()];
    return {
      hosts: rings.length,
      points: sum(rings.map((ring) => ring.pointCount)),
      series: sum(rings.map((ring) => ring.seriesCount)),
      items: sum(tracked.map(({ items }) => items.size)),
      corruptRecordCount: this.#corruptRecordCount,
      refusedReadingCount: sum(rings.map((ring) => ring.refusedCount)),
      refusedItemCount: sum(tracked.map((items) => items.refusedCount)),
    };
  }

  /** Called once, by `openStore`. */
  async load(): Promise<void> {
    await this.#checkFormat();
    for await (const { key, value } of this.#scan(prefixRange(prefixes.itemsHead)))
      // Checked by the seal.
      this.#itemsOf(Buffer.from(key).toString().slice(1) as HostId).restoreHead(value as ItemsHead);
    await this.#loadItems();
    let host = await nextHost(this.#level, undefined);
    for (; host !== undefined; host = await nextHost(this.#level, host)) await this.#rebuild(host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#level[Symbol.asyncDispose]();
  }

  async #checkFormat(): Promise<void> {
    const key = textKey(prefixes.format, 'version');
    const value: Uint8Array | undefined = await this.#level.database.get(key);
    if (value === undefined) return this.#level.write([jsonWrite(key, FORMAT_VERSION)]);
    const version = unsealJson(key, value);
    if (version === FORMAT_VERSION) return undefined;
    throw new CodedError(
      'STORE_FORMAT_UNKNOWN',
      `the store ${this.#options.path} has format ${JSON.stringify(version ?? 'unreadable')}, this program knows ${FORMAT_VERSION}; use the program that wrote it`,
    );
  }

  async #loadItems(): Promise<void> {
    for await (const [key, value] of this.#level.database.iterator(prefixRange(prefixes.item))) {
      const identity = parseItemRecordKey(key);
      // Its checksum says that `append` wrote it.
      const record = unsealJson(key, value) as ItemRecord | undefined;
      if (record === undefined) this.#skip(key);
      if (identity === undefined) continue;
      const items = this.#itemsOf(identity.host);
      if (record === undefined) items.forgetSnapshot();
      else items.restore(identity.item, record);
    }
  }

  async #rebuild(host: HostId): Promise<void> {
    const points = this.#options.ringPoints ?? RING_POINTS;
    const all = journalRange(host, { startMs: 0, endMs: Number.MAX_SAFE_INTEGER });
    const newest: Batch[] = [];
    for await (const batch of this.#journal({ ...all, reverse: true, limit: points }))
      newest.push(batch);
    for (const batch of newest.toReversed()) {
      this.#ringOf(host).put(batch);
      const { fingerprints } = batch;
      if (fingerprints !== undefined) this.#itemsOf(host).recollect({ ...batch, fingerprints });
    }
  }

  #applyFingerprints(
    batch: Batch,
    turn: { readonly nowMs: number; readonly writes: Write[] },
  ): readonly ItemChange[] {
    const { host, fingerprints } = batch;
    if (fingerprints === undefined) return [];
    const items = this.#itemsOf(host);
    const headBefore = items.head;
    const { changes, touched } = items.apply({ ...batch, fingerprints }, turn.nowMs);
    for (const itemKey of touched) {
      const key = itemRecordKey(host, itemKey);
      const record = items.record(itemKey);
      turn.writes.push(record === undefined ? { key } : jsonWrite(key, record));
    }
    if (items.head !== headBefore) turn.writes.push(headWrite(host, items));
    return changes;
  }

  /** Readable records of the journal, as ingest trusted them. */
  async *#journal(
    range: KeyRange & { readonly reverse?: boolean; readonly limit?: number },
  ): AsyncGenerator<Batch, void, void> {
    for await (const [key, value] of this.#level.database.iterator(range)) {
      const bytes = unseal(key, value);
      if (bytes === undefined) {
        this.#skip(key);
        continue;
      }
      let batch: Batch;
      try {
        batch = this.#options.decode(bytes);
      } catch (error) {
        this.#skip(key, error);
        continue;
      }
      const readings = batch.readings.filter((reading) => Number.isFinite(reading.value));
      yield readings.length === batch.readings.length ? batch : { ...batch, readings };
    }
  }

  async *#scan(range: KeyRange): AsyncGenerator<{ key: Uint8Array; value: unknown }, void, void> {
    for await (const [key, sealed] of this.#level.database.iterator(range)) {
      const value = unsealJson(key, sealed);
      if (value === undefined) this.#skip(key);
      else yield { key, value };
    }
  }

  #skip(key: Uint8Array, cause?: unknown): void {
    this.#corruptRecordCount += 1;
    if (this.#corruptRecordCount > CORRUPT_LOGGED_MAX) return;
    this.#options.logger.error('skipped a record that cannot be read', {
      code: 'STORE_RECORD_CORRUPT',
      record: describeKey(key),
      reason: cause === undefined ? 'wrong checksum' : describeError(cause),
    });
  }

  #ringOf(host: HostId): HostRing {
    let ring = this.#rings.get(host);
    if (ring === undefined) {
      ring = new HostRing({ host, points: this.#options.ringPoints ?? RING_POINTS });
      this.#rings.set(host, ring);
    }
    return ring;
  }

  #itemsOf(host: HostId): HostItems {
    let items = this.#items.get(host);
    if (items === undefined) {
      items = new HostItems(host);
      this.#items.set(host, items);
    }
    return items;
  }
}

function headWrite(host: HostId, { head }: HostItems): Write {
  return jsonWrite(textKey(prefixes.itemsHead, host), head);
}

function jsonWrite(key: Uint8Array, value: unknown): Write {
  return { key, value: sealJson(key, value) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
