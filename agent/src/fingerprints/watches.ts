// In: folders. Out: a call when something in one of them changed.
// Never: raises the system's limit; without watches the rescan still finds everything, later.

import { watch, type FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import { codeOf } from '@foreshadow/runtime';

/** Linux grants a user 8,192 watches where memory is small; each costs the kernel about 1 KiB. */
export const WATCHES_MAX = 8_192;

export interface Watch {
  close(): void;
}

/** `itself`: the folder was removed, renamed or given other attributes, and its watch has ended. */
export type Notice = 'within' | 'itself';

/** Counts watches and tells once when no more can be had. */
export class Watches {
  readonly #onExhausted: (why: string) => void;
  readonly #watch: typeof watch;
  readonly #open = new Set<FSWatcher>();
  #isExhausted = false;

  /** @param watchFolder the system's, unless a test wants one that fails */
  constructor(onExhausted: (why: string) => void, watchFolder: typeof watch = watch) {
    this.#onExhausted = onExhausted;
    this.#watch = watchFolder;
  }

  get count(): number {
    return this.#open.size;
  }

  /** @returns undefined when the folder cannot be watched: it is polled */
  add(path: Buffer, onNotice: (notice: Notice) => void): Watch | undefined {
    if (this.#isExhausted) return undefined;
    if (this.#open.size >= WATCHES_MAX) {
      this.#exhaust(`bound of ${WATCHES_MAX}`);
      return undefined;
    }
    const ownName = Buffer.from(basename(path.toString('latin1')), 'latin1');
    try {
      const options = { persistent: false, recursive: false, encoding: 'buffer' } as const;
      const watcher = this.#watch(path, options, (_, name) => {
        const isItself = name !== null && ownName.equals(name);
        if (isItself) end();
        onNotice(isItself ? 'itself' : 'within');
      });
      const end = (): void => {
        if (this.#open.delete(watcher)) watcher.close();
      };
      watcher.on('error', () => {
        end();
        onNotice('itself');
      });
      this.#open.add(watcher);
      return { close: end };
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOSPC' || code === 'EMFILE' || code === 'ENFILE') this.#exhaust(code);
      // Any other error (the folder went away) shows again when the folder is read.
      return undefined;
    }
  }

  close(): void {
    for (const watcher of this.#open) watcher.close();
    this.#open.clear();
  }

  #exhaust(why: string): void {
    this.#isExhausted = true;
    this.#onExhausted(why);
  }
}
