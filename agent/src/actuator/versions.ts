// In: contents of restorable files. Out: the same contents later, by item and content digest.
// Never: gives bytes whose digest is not the one asked for, or drops an item's current known-good
// version.
//
//   state/versions/<content digest>   one content, mode 0600, shared by all items that had it
//   state/versions.json               { lastMark?, items: { "file:/etc/x": [Version, …] } },
//   replaced as a whole

import { constants, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandId, ItemKey } from '@foreshadow/model';
import { hold, makeFolder, readAll, replaceDurably, syncFolder } from './durable.ts';
import { isDigest, isRecord } from './request.ts';
import { FatalError, unlessMissing } from './refusal.ts';

export const VERSIONS_PER_ITEM_MAX = 50;
export const VERSION_ITEMS_MAX = 4_000;
export const INDEX_BYTES_MAX = 64 * 1024 * 1024;

/**
 * What a file once was. `number` rises within an item; `markedAtMs` is absent where nobody called
 * it good.
 */
export interface Version {
  readonly digest: string;
  readonly number: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly keptAtMs: number;
  readonly markedAtMs?: number;
}

/** A content to keep. Without `markedAtMs` it can be put back by an undo only. */
export interface Keep {
  readonly item: ItemKey;
  readonly digest: string;
  readonly stats: { readonly mode: number; readonly uid: number; readonly gid: number };
  readonly atMs: number;
  readonly isGood: boolean;
}

interface VersionStoreOptions {
  readonly folder: string;
  readonly digestOf: (content: Uint8Array) => string;
  readonly bytesMax: number;
}

export class VersionStore {
  readonly #options: VersionStoreOptions;
  #items: ReadonlyMap<ItemKey, readonly Version[]>;
  #lastMark: CommandId | undefined;

  constructor(options: VersionStoreOptions, index: Index) {
    this.#options = options;
    this.#items = new Map(Object.entries(index.items));
    this.#lastMark = index.lastMark;
  }

  /** The command whose mark was completed last. */
  get lastMark(): CommandId | undefined {
    return this.#lastMark;
  }

  find(item: ItemKey, digest: string): Version | undefined {
    return this.#items.get(item)?.find((version) => version.digest === digest);
  }

  /** @returns undefined when the content is missing or is not what its name says */
  read(digest: string): Uint8Array | undefined {
    const content = unlessMissing(() => {
      using file = hold(this.#pathOf(digest), constants.O_RDONLY | constants.O_NOFOLLOW);
      return readAll(file.descriptor, this.#options.bytesMax);
    });
    return content !== undefined && this.#options.digestOf(content) === digest
      ? content
      : undefined;
  }

  /** Makes a content durable. It is forgotten at the next start unless `keep` follows. */
  write(content: Uint8Array): string {
    const digest = this.#options.digestOf(content);
    if (this.read(digest) === undefined) replaceDurably(this.#pathOf(digest), content);
    return digest;
  }

  /**
   * Enters contents that were written, all or none, and drops what is beyond the bounds. `mark`:
   * the command that called them good.
   */
  keep(entries: readonly Keep[], mark?: CommandId): void {
    const items = new Map(this.#items);
    for (const entry of entries) {
      const versions = addVersion(items.get(entry.item) ?? [], entry);
      // Map order is age: an item that is kept again becomes the youngest.
      items.delete(entry.item);
      items.set(entry.item, versions);
    }
    for (const item of items.keys()) {
      if (items.size <= VERSION_ITEMS_MAX) break;
      items.delete(item);
    }
    const lastMark = mark ?? this.#lastMark;
    const index = { lastMark, items: Object.fromEntries(items) };
    replaceDurably(join(this.#options.folder, INDEX_NAME), Buffer.from(JSON.stringify(index)));
    this.#items = items;
    this.#lastMark = lastMark;
    try {
      this.removeForgotten();
    } catch (cause) {
      throw new FatalError('CHANGE_UNCERTAIN', 'versions were kept, and old ones not removed', {
        cause,
      });
    }
  }

  /** Removes contents that no version names: the rest of a crash, or of the bounds. */
  removeForgotten(): void {
    const known = new Set([...this.#items.values()].flat().map((version) => version.digest));
    const folder = join(this.#options.folder, CONTENT_FOLDER);
    const forgotten = readdirSync(folder).filter((name) => !known.has(name));
    for (const name of forgotten) rmSync(join(folder, name));
    if (forgotten.length > 0) syncFolder(folder);
  }

  #pathOf(digest: string): string {
    return join(this.#options.folder, CONTENT_FOLDER, digest);
  }
}

const INDEX_NAME = 'versions.json';
const CONTENT_FOLDER = 'versions';

/** @throws FatalError VERSIONS_DAMAGED when the index is not one that this program wrote */
export function openVersionStore(options: VersionStoreOptions): VersionStore {
  makeFolder(join(options.folder, CONTENT_FOLDER));
  const store = new VersionStore(options, readIndex(join(options.folder, INDEX_NAME)));
  store.removeForgotten();
  return store;
}

interface Index {
  readonly lastMark?: CommandId;
  readonly items: Readonly<Record<ItemKey, readonly Version[]>>;
}

function readIndex(path: string): Index {
  const bytes = unlessMissing(() => {
    using file = hold(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    return readAll(file.descriptor, INDEX_BYTES_MAX) ?? Buffer.alloc(0);
  });
  if (bytes === undefined) return { items: {} };
  const damaged = `${path} is not the version index which the actuator wrote; move it away and mark known-good again`;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (isIndex(value)) return value;
  } catch (cause) {
    throw new FatalError('VERSIONS_DAMAGED', damaged, { cause });
  }
  throw new FatalError('VERSIONS_DAMAGED', damaged);
}

function isIndex(value: unknown): value is Index {
  if (!isRecord(value) || !isRecord(value['items'])) return false;
  return Object.values(value['items']).every(
    (versions) => Array.isArray(versions) && versions.every(isVersion),
  );
}

function isVersion(value: unknown): value is Version {
  if (!isRecord(value) || !isDigest(value['digest'])) return false;
  return ['number', 'mode', 'uid', 'gid', 'keptAtMs'].every((name) => Number.isFinite(value[name]));
}

/**
 * @returns the versions with this one as the youngest, at most VERSIONS_PER_ITEM_MAX; a mark once
 * given stays
 */
export function addVersion(versions: readonly Version[], entry: Keep): readonly Version[] {
  const before = versions.find((version) => version.digest === entry.digest);
  const markedAtMs = entry.isGood ? entry.atMs : before?.markedAtMs;
  const added: Version = {
    digest: entry.digest,
    number: (versions.at(-1)?.number ?? 0) + 1,
    mode: entry.stats.mode & 0o7777,
    uid: entry.stats.uid,
    gid: entry.stats.gid,
    keptAtMs: entry.atMs,
    ...(markedAtMs === undefined ? {} : { markedAtMs }),
  };
  const all = [...versions.filter((version) => version !== before), added];
  if (all.length <= VERSIONS_PER_ITEM_MAX) return all;
  const current = currentMark(all);
  const oldest = all.find((version) => version !== current);
  return all.filter((version) => version !== oldest);
}

/** @returns the version that was called good last */
function currentMark(versions: readonly Version[]): Version | undefined {
  return versions.reduce<Version | undefined>(
    (best, version) =>
      (version.markedAtMs ?? -Infinity) >= (best?.markedAtMs ?? -Infinity) &&
      version.markedAtMs !== undefined
        ? version
        : best,
    undefined,
  );
}
