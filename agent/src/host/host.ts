// In: roots of `/proc` and `/sys`. Out: the `Host` of model/host.ts, over kept-open descriptors.
// Never: lets a system error out: a file that is missing, vanished, unreadable or too large is
// undefined.

import {
  closeSync,
  constants,
  openSync,
  readSync,
  readdirSync,
  statfsSync,
  type StatsFs,
} from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { FilesystemFacts, Host, Inventory } from '@foreshadow/model';
import { readInventory } from './inventory.ts';

/** A larger file is undefined rather than cut: a number cut in two would be a wrong number. */
export const HOST_FILE_BYTES_MAX = 1024 * 1024;
/** Descriptors kept open; beyond it the one that was not used for longest is closed. */
export const HOST_DESCRIPTORS_MAX = 64;
/**
 * Names of one directory; beyond it the directory is undefined, as half a list of processes would
 * mislead.
 */
export const HOST_NAMES_MAX = 65_536;

// Holds every hot file of a usual machine; doubles up to the bound where one does not fit.
const BUFFER_BYTES = 32 * 1024;

// A pid file may have been replaced by a FIFO, and an open without this flag would wait for its
// writer.
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

// `statfs` adds up counters; a round through the thread pool costs twenty times as much.
const answeringFromMemory: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs']);

export interface HostRoots {
  /** Real folder that stands for `/proc`. */
  readonly proc: string;
  /** Real folder that stands for `/sys`. */
  readonly sys: string;
}

export interface HostOptions {
  /** Paths elsewhere (a pid file, `/etc/os-release`) are taken as they stand. */
  readonly roots: HostRoots;
}

/** Opens nothing yet: descriptors are opened when first read, and closed by `Symbol.dispose`. */
export function openHost(options: HostOptions): Host & Disposable {
  return new LinuxHost(options);
}

class LinuxHost implements Host, Disposable {
  readonly #roots: HostRoots;
  /** In order of last use. */
  readonly #descriptors = new Map<string, number>();
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #inventory: Promise<Inventory> | undefined;

  constructor({ roots }: HostOptions) {
    this.#roots = roots;
  }

  readBytes(path: string): Uint8Array | undefined {
    const kept = this.#descriptors.get(path);
    if (kept !== undefined) {
      const bytes = this.#readAll(kept);
      this.#descriptors.delete(path);
      if (bytes !== undefined && bytes.length > 0) {
        this.#descriptors.set(path, kept);
        return bytes;
      }
      closeSync(kept); // Stale (its device went away) or empty: one more try with a new descriptor.
    }
    const opened = open(this.#locate(path));
    if (opened === undefined) return undefined;
    this.#keep(path, opened);
    return this.#readAll(opened);
  }

  readOnce(path: string): Uint8Array | undefined {
    const descriptor = open(this.#locate(path));
    if (descriptor === undefined) return undefined;
    const bytes = this.#readAll(descriptor);
    closeSync(descriptor);
    return bytes;
  }

  list(path: string): readonly string[] | undefined {
    try {
      const names = readdirSync(this.#locate(path));
      return names.length > HOST_NAMES_MAX ? undefined : names;
    } catch {
      return undefined; // Missing, not a directory, or not for us: in each case it is not known.
    }
  }

  statFilesystem(
    path: string,
    type: string,
  ): FilesystemFacts | undefined | Promise<FilesystemFacts | undefined> {
    if (!answeringFromMemory.has(type)) return statLater(path);
    try {
      return factsOf(statfsSync(path));
    } catch {
      return undefined; // Unmounted since it was listed, or not for us.
    }
  }

  /**
   * Starts programs on its first call (see inventory.ts): call it at start, never while sampling.
   * Later calls get the same answer.
   */
  inventory(): Promise<Inventory> {
    this.#inventory ??= readInventory(this);
    return this.#inventory;
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }

  #locate(path: string): string {
    if (path.startsWith('/proc/') || path === '/proc')
      return this.#roots.proc + path.slice('/proc'.length);
    if (path.startsWith('/sys/') || path === '/sys')
      return this.#roots.sys + path.slice('/sys'.length);
    return path;
  }

  #keep(path: string, descriptor: number): void {
    this.#descriptors.set(path, descriptor);
    if (this.#descriptors.size <= HOST_DESCRIPTORS_MAX) return;
    for (const [oldest, unused] of this.#descriptors) {
      this.#descriptors.delete(oldest);
      closeSync(unused);
      return;
    }
  }

  /**
   * Reads from offset 0 until the kernel says that there is no more; one read gives at most a page
   * of some files.
   */
  #readAll(descriptor: number): Uint8Array | undefined {
    let length = 0;
    try {
      for (;;) {
        if (length === this.#buffer.length && !this.#grow()) return undefined;
        const count = readSync(
          descriptor,
          this.#buffer,
          length,
          this.#buffer.length - length,
          length,
        );
        if (count === 0) return this.#buffer.subarray(0, length);
        length += count;
      }
    } catch {
      // ENODEV, ESRCH (its process ended), EISDIR, EAGAIN: nothing can be read here.
      return undefined;
    }
  }

  /** @returns false at the bound. */
  #grow(): boolean {
    // One byte more than the bound, so that a file of exactly the bound is seen to end there.
    const size = Math.min(this.#buffer.length * 2, HOST_FILE_BYTES_MAX + 1);
    if (size === this.#buffer.length) return false;
    const larger = Buffer.allocUnsafe(size);
    this.#buffer.copy(larger);
    this.#buffer = larger;
    return true;
  }
}

async function statLater(path: string): Promise<FilesystemFacts | undefined> {
  try {
    return factsOf(await statfs(path));
  } catch {
    return undefined; // As above.
  }
}

function factsOf(facts: StatsFs): FilesystemFacts {
  return {
    sizeBytes: facts.blocks * facts.frsize,
    availableBytes: facts.bavail * facts.frsize,
    freeBytes: facts.bfree * facts.frsize,
    filesCount: facts.files,
    filesFreeCount: facts.ffree,
  };
}

function open(path: string): number | undefined {
  try {
    return openSync(path, READ_FLAGS);
  } catch {
    return undefined; // Missing or not for us: in each case it is not known.
  }
}
