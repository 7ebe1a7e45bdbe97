// In: fingerprint reports of one host, in any order. Out: its tracked items, what changed, and
// which records to write.
// Never: lets an older report undo a newer one, takes a snapshot for whole while a part is missing,
// or passes an item over without saying so.

import { EVERYTHING } from '@foreshadow/configuration';
import {
  itemKey,
  parseItemKey,
  type BootId,
  type FingerprintChange,
  type FingerprintItem,
  type FingerprintReport,
  type HostId,
  type ItemKey,
  type TrackedItem,
  type UnreadableReason,
} from '@foreshadow/model';

/**
 * Items tracked of one host, removed ones included; the item removed longest ago gives way first.
 * Beside them one a subject, which calls the subject unreadable where an item found no place.
 */
export const ITEMS_PER_HOST_MAX = 20_000;
/** A path is at most 4,096 bytes. */
export const ITEM_KEY_LENGTH_MAX = 4_224;

/**
 * The digest, presence or readability of one item changed. `before` is absent where the item was
 * never seen.
 */
export interface ItemChange {
  readonly host: HostId;
  readonly key: ItemKey;
  readonly before?: TrackedItem;
  /** Without `item` and `unreadable`: removed. */
  readonly after: TrackedItem;
}

/**
 * When the host said it: by sequence within a boot. No clock of a host orders its boots: what the
 * present boot says is newer than what any other said.
 */
export interface Stamp {
  readonly boot: BootId;
  readonly sequence: number;
}

/** What is durable of one item. */
export interface ItemRecord {
  readonly tracked: TrackedItem;
  readonly stamp: Stamp;
}

/** What is durable of a host's items as a whole. */
export interface ItemsHead {
  readonly version: number;
  /** The run of the agent that introduced itself last; absent before the first. */
  readonly boot?: BootId;
  /**
   * Of the newest snapshot that was whole; absent before the first of the present boot, and after a
   * record was lost.
   */
  readonly snapshot?: Stamp;
}

/** What one report did. */
export interface ItemsUpdate {
  readonly changes: ItemChange[];
  /** Records to write anew, or to delete where `record` has none. */
  readonly touched: Set<ItemKey>;
}

type Report = Stamp & { readonly fingerprints: FingerprintReport };
type Seen = { readonly item?: FingerprintItem; readonly unreadable?: UnreadableReason };

interface PartialSnapshot {
  readonly id: number;
  readonly partCount: number;
  /** Of its earliest part: what the host said later about an item is newer than the snapshot. */
  stamp: Stamp;
  readonly parts: Map<number, readonly FingerprintChange[]>;
}

export class HostItems {
  readonly #host: HostId;
  readonly #items = new Map<ItemKey, TrackedItem>();
  readonly #stamps = new Map<ItemKey, Stamp>();
  #head: ItemsHead = { version: 0 };
  #snapshot: PartialSnapshot | undefined;
  #refusedCount = 0;

  constructor(host: HostId) {
    this.#host = host;
  }

  get items(): ReadonlyMap<ItemKey, TrackedItem> {
    return this.#items;
  }
  get head(): ItemsHead {
    return this.#head;
  }
  /** Items that had no place, or a key that is too long. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  record(key: ItemKey): ItemRecord | undefined {
    const tracked = this.#items.get(key);
    const stamp = this.#stamps.get(key);
    return tracked === undefined || stamp === undefined ? undefined : { tracked, stamp };
  }

  /** At open: what was durable. */
  restore(key: ItemKey, record: ItemRecord): void {
    this.#items.set(key, record.tracked);
    this.#stamps.set(key, record.stamp);
  }
  restoreHead(head: ItemsHead): void {
    this.#head = head;
  }
  /** After a record could not be read: the host is asked for a snapshot again. */
  forgetSnapshot(): void {
    const { snapshot: _, ...head } = this.#head;
    this.#head = head;
  }

  /** The agent runs as `boot`. Of what happened before this run began it owes a snapshot. */
  greet(boot: BootId): void {
    if (boot !== this.#head.boot) this.#head = { version: this.#head.version, boot };
  }

  /**
   * At open: collects the parts of a snapshot that was not whole yet; everything else has been
   * applied before.
   */
  recollect(report: Report): void {
    if (report.fingerprints.mode === 'snapshot' && this.#collect(report) !== undefined)
      this.#snapshot = undefined;
  }

  /**
   * @param nowMs controller's clock, epoch ms. Cost: linear in the changes; in all items when a
   * snapshot becomes whole.
   */
  apply(report: Report, nowMs: number): ItemsUpdate {
    const update: ItemsUpdate = { changes: [], touched: new Set() };
    const turn = { nowMs, update, crowded: new Set<ItemKey>() };
    if (report.fingerprints.mode === 'changes') {
      this.#observeAll(report.fingerprints.changes, { ...turn, stamp: stampOf(report) });
    } else {
      const whole = this.#collect(report);
      if (whole !== undefined) this.#replace(whole, { ...turn, stamp: whole.stamp });
    }
    if (update.changes.length > 0) this.#head = { ...this.#head, version: this.#head.version + 1 };
    return update;
  }

  /** @returns the snapshot when this was its last missing part */
  #collect(report: Report): PartialSnapshot | undefined {
    const { snapshotId: id, partIndex, partCount, changes } = report.fingerprints;
    const stamp = stampOf(report);
    let snapshot = this.#snapshot;
    const isSame = snapshot?.stamp.boot === stamp.boot && snapshot.id === id;
    if (snapshot === undefined || !isSame) {
      if (snapshot !== undefined && this.#isOlderSnapshot({ id, stamp }, snapshot))
        return undefined;
      snapshot = { id, partCount, stamp, parts: new Map() };
      this.#snapshot = snapshot;
    }
    if (stamp.sequence < snapshot.stamp.sequence) snapshot.stamp = stamp;
    snapshot.parts.set(partIndex, changes);
    return snapshot.parts.size === snapshot.partCount ? snapshot : undefined;
  }

  #replace(snapshot: PartialSnapshot, turn: Turn): void {
    this.#snapshot = undefined;
    const told = Array.from(snapshot.parts.values()).flat();
    this.#observeAll(told, turn);
    const present = new Set(turn.crowded);
    for (const change of told) if (change.kind !== 'removed') present.add(keyOf(change));
    for (const key of this.#items.keys()) {
      if (!present.has(key)) this.#observe(key, {}, turn);
    }
    const { boot = snapshot.stamp.boot, snapshot: newest } = this.#head;
    // Of another run it says nothing about what happened since.
    if (snapshot.stamp.boot === boot && !this.#isOlder(snapshot.stamp, newest))
      this.#head = { ...this.#head, snapshot: snapshot.stamp };
  }

  /** Where an item finds no place, nobody can say what else its subject lacks. */
  #observeAll(changes: readonly FingerprintChange[], turn: Turn): void {
    for (const change of changes) this.#observe(keyOf(change), seenIn(change), turn);
    for (const key of turn.crowded) this.#observe(key, { unreadable: 'too-large' }, turn);
  }

  #observe(key: ItemKey, seen: Seen, turn: Turn): void {
    // What a newer snapshot lacks is as old as that snapshot; an unknown removal is kept, or an
    // older presence would undo it.
    if (this.#isOlder(turn.stamp, this.#stamps.get(key) ?? this.#head.snapshot)) return;
    const before = this.#items.get(key);
    if (before === undefined && !this.#hasRoom(key, turn)) return;
    const isChange = !isSameState(before, seen);
    const changedMs = before === undefined || isChange ? turn.nowMs : undefined;
    const after = follow(key, { before, seen, changedMs });
    this.#items.set(key, after);
    this.#stamps.set(key, turn.stamp);
    turn.update.touched.add(key);
    if (!isChange) return;
    const change = { host: this.#host, key, after };
    turn.update.changes.push(before === undefined ? change : { ...change, before });
  }

  #isOlder(stamp: Stamp, than: Stamp | undefined): boolean {
    if (than === undefined) return false;
    return stamp.boot === than.boot
      ? stamp.sequence < than.sequence
      : than.boot === this.#head.boot;
  }

  #isOlderSnapshot(
    one: { readonly id: number; readonly stamp: Stamp },
    other: PartialSnapshot,
  ): boolean {
    return one.stamp.boot === other.stamp.boot
      ? one.id < other.id
      : this.#isOlder(one.stamp, other.stamp);
  }

  #hasRoom(key: ItemKey, { update, crowded }: Turn): boolean {
    if (crowded.has(key)) return true;
    if (key.length <= ITEM_KEY_LENGTH_MAX) {
      if (this.#items.size < ITEMS_PER_HOST_MAX) return true;
      const oldest = this.#removedLongestAgo();
      if (oldest !== undefined) {
        this.#items.delete(oldest);
        this.#stamps.delete(oldest);
        update.touched.add(oldest);
        return true;
      }
    }
    this.#refusedCount += 1;
    const subject = parseItemKey(key)?.subject;
    if (subject !== undefined) crowded.add(itemKey(subject, EVERYTHING));
    return false;
  }

  #removedLongestAgo(): ItemKey | undefined {
    let oldest: TrackedItem | undefined;
    for (const tracked of this.#items.values()) {
      const isRemoved = tracked.item === undefined && tracked.unreadable === undefined;
      if (isRemoved && (oldest === undefined || tracked.changedMs < oldest.changedMs))
        oldest = tracked;
    }
    return oldest?.key;
  }
}

/** What all observations of one report share. */
interface Turn {
  readonly stamp: Stamp;
  readonly nowMs: number;
  readonly update: ItemsUpdate;
  /** Items that stand for the subjects of items which had no place. */
  readonly crowded: Set<ItemKey>;
}

function keyOf(change: FingerprintChange): ItemKey {
  const { subject, name } = change.kind === 'present' ? change.item : change;
  return itemKey(subject, name);
}

function seenIn(change: FingerprintChange): Seen {
  if (change.kind === 'present') return { item: change.item };
  return change.kind === 'unreadable' ? { unreadable: change.reason } : {};
}

function stampOf({ boot, sequence }: Stamp): Stamp {
  return { boot, sequence };
}

function isSameState(before: TrackedItem | undefined, seen: Seen): boolean {
  return (
    before?.item?.digest === seen.item?.digest &&
    (before?.unreadable === undefined) === (seen.unreadable === undefined)
  );
}

/**
 * @returns the item as it is now; `changedMs` is absent when neither digest, presence nor
 * readability changed
 */
function follow(
  key: ItemKey,
  step: {
    readonly before: TrackedItem | undefined;
    readonly seen: Seen;
    readonly changedMs: number | undefined;
  },
): TrackedItem {
  const { before, seen } = step;
  const changedMs = step.changedMs ?? before?.changedMs ?? 0;
  const previousDigest =
    step.changedMs === undefined ? before?.previousDigest : before?.item?.digest;
  const now = { key, firstSeenMs: before?.firstSeenMs ?? changedMs, changedMs, ...seen };
  return previousDigest === undefined ? now : { ...now, previousDigest };
}
