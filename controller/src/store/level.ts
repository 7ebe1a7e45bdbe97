// In: a folder. Out: the level store in it, open and alone; writes that are durable when they
// return.
// Never: makes a new store where an old one has lost its files, or writes again after a write that
// failed.

import { Level } from 'level';
import { CodedError, codeOf, systemDisk } from '@foreshadow/runtime';

type Database = Level<Uint8Array, Uint8Array>;

/** `value` absent: delete. */
export interface Write {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
}

/** Writes one after the other, in the order of the calls. */
export class DurableLevel implements AsyncDisposable {
  readonly #database: Database;
  readonly #path: string;
  #lastWrite: Promise<void> = Promise.resolve();
  #failure: CodedError | undefined;

  constructor(options: { readonly database: Database; readonly path: string }) {
    this.#database = options.database;
    this.#path = options.path;
  }

  /** For reading. */
  get database(): Database {
    return this.#database;
  }

  /**
   * All or nothing; on the disk when it resolves. @throws CodedError STORE_WRITE_FAILED, now and
   * for every later write
   */
  async write(writes: readonly Write[]): Promise<void> {
    await this.#inTurn(() =>
      this.#database.batch(
        writes.map(({ key, value }) =>
          value === undefined ? { type: 'del', key } : { type: 'put', key, value },
        ),
        { sync: true },
      ),
    );
  }

  /** Deletes the first `limit` keys of a range; not synced, since to repeat it does no harm. */
  async clear(range: {
    readonly gte: Uint8Array;
    readonly lt: Uint8Array;
    readonly limit: number;
  }): Promise<void> {
    await this.#inTurn(() => this.#database.clear(range));
  }

  async #inTurn(act: () => Promise<void>): Promise<void> {
    const before = this.#lastWrite;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastWrite = promise;
    await before;
    try {
      if (this.#failure === undefined) await act();
    } catch (error) {
      // A failed fsync may leave pages marked clean: a second try could succeed and lie (ATC'20).
      this.#failure = new CodedError(
        'STORE_WRITE_FAILED',
        `writing to the store ${this.#path} failed; nothing more is written. Check space and disk, then start again`,
        { cause: error },
      );
    } finally {
      resolve();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lastWrite;
    await this.#database.close();
  }
}

/** @throws CodedError STORE_LOCKED, STORE_CORRUPT, STORE_OPEN_FAILED */
export async function openLevel(path: string): Promise<DurableLevel> {
  try {
    await systemDisk.makeFolder(path);
    const names = await systemDisk.list(path);
    const hasData = names.some((name) => name.endsWith('.ldb') || name.endsWith('.log'));
    if (hasData && !names.includes('CURRENT')) throw corrupt(path, 'its file CURRENT is missing');
    // Not before: a level opens by itself soon after it was made, and makes what is missing.
    const database: Database = new Level(path, { keyEncoding: 'view', valueEncoding: 'view' });
    await database.open();
    return new DurableLevel({ database, path });
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const cause = error instanceof Error ? error.cause : undefined;
    if (codeOf(cause) === 'LEVEL_LOCKED')
      throw new CodedError(
        'STORE_LOCKED',
        `the store ${path} is in use by another process; stop that controller or give this one another path`,
        { cause: error },
      );
    if (codeOf(cause) === 'LEVEL_CORRUPTION') throw corrupt(path, 'LevelDB cannot read it', error);
    throw new CodedError(
      'STORE_OPEN_FAILED',
      `the store ${path} could not be opened; check that its folder belongs to this user and has space`,
      { cause: error },
    );
  }
}

export function corrupt(path: string, what: string, cause?: unknown): CodedError {
  return new CodedError(
    'STORE_CORRUPT',
    `the store ${path} is corrupt: ${what}. Move the folder aside and put back a copy, or start empty: agents send again what they still hold`,
    { cause },
  );
}
