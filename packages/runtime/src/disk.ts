// In: paths and bytes. Out: bytes, durable where the name says so.
// Never: follows a symbolic link on replace, or reports success before the kernel did.

import { constants } from 'node:fs';
import { closeSync, fstatSync, fsync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CodedError, codeOf } from './errors.ts';

/** A file that only grows. */
export interface AppendFile {
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * Appends to the page cache; survives the process, not the machine. Throws on a short write or
   * any error.
   */
  append(bytes: Uint8Array): void;
  /**
   * Makes everything appended so far durable. An error here is fatal for the file: never retry,
   * reopen.
   */
  sync(): Promise<void>;
  /** @returns the bytes in [offset, offset + length), fewer at the end of the file */
  readAt(offset: number, length: number): Uint8Array;
  /** Cuts the file, to drop a torn tail. */
  truncate(sizeBytes: number): void;
  close(): void;
}

/** The file system as rooms with state on disk see it; the simulation supplies another. */
export interface Disk {
  /** Creates the folder and its parents with mode 0700 where missing. */
  makeFolder(path: string): Promise<void>;
  /** Names, sorted; empty when the folder is missing. */
  list(path: string): Promise<readonly string[]>;
  /**
   * @returns undefined when the file is missing. @throws CodedError FILE_TOO_LARGE beyond
   * `bytesMax`
   */
  read(path: string, options: { readonly bytesMax: number }): Promise<Uint8Array | undefined>;
  /** Opens for appending and reading, mode 0600, created where missing. */
  openAppend(path: string): Promise<AppendFile>;
  /**
   * All or nothing and durable: temporary file in the same folder, fsync, rename, fsync of the
   * folder. Mode 0600.
   */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file; a missing one is no error. */
  remove(path: string): Promise<void>;
}

export const systemDisk: Disk = {
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: async (path) => {
    try {
      return (await readdir(path)).toSorted();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  },
  read: readBounded,
  openAppend,
  replace: replaceFile,
  remove: async (path) => rm(path, { force: true }),
};

async function readBounded(
  path: string,
  options: { readonly bytesMax: number },
): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { size } = await file.stat();
    if (size > options.bytesMax) {
      throw new CodedError(
        'FILE_TOO_LARGE',
        `${path} has ${size} bytes, more than the ${options.bytesMax} that are read; make it smaller`,
      );
    }
    // What the file grows by meanwhile is left unread, so that the bound holds.
    const bytes = new Uint8Array(size);
    let count = 0;
    for (let read = -1; read !== 0 && count < size; count += read)
      ({ bytesRead: read } = await file.read(bytes, count, size - count, count));
    return bytes.subarray(0, count);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.new`);
  await rm(temporary, { force: true });
  {
    await using file = await open(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    await file.writeFile(bytes);
    await file.sync();
  }
  await rename(temporary, path);
  await syncFolder(folder);
}

/** Makes the names in a folder durable; without it a new file may be gone after a power loss. */
async function syncFolder(folder: string): Promise<void> {
  await using opened = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await opened.sync();
}

async function openAppend(path: string): Promise<AppendFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const descriptor = openSync(path, flags, 0o600);
  const sizeBytes = fstatSync(descriptor).size;
  if (sizeBytes === 0) await syncFolder(dirname(path));
  return new SystemAppendFile({ path, descriptor, sizeBytes });
}

const fsyncDescriptor = promisify(fsync);

class SystemAppendFile implements AppendFile {
  readonly path: string;
  readonly #descriptor: number;
  #sizeBytes: number;

  constructor(opened: {
    readonly path: string;
    readonly descriptor: number;
    readonly sizeBytes: number;
  }) {
    this.path = opened.path;
    this.#descriptor = opened.descriptor;
    this.#sizeBytes = opened.sizeBytes;
  }
  get sizeBytes(): number {
    return this.#sizeBytes;
  }
  append(bytes: Uint8Array): void {
    const written = writeSync(this.#descriptor, bytes);
    this.#sizeBytes += written;
    if (written !== bytes.length) {
      throw new CodedError(
        'DISK_SHORT_WRITE',
        `${this.path}: ${written} of ${bytes.length} bytes written; is the disk full?`,
      );
    }
  }
  async sync(): Promise<void> {
    await fsyncDescriptor(this.#descriptor);
  }
  readAt(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(Math.max(0, Math.min(length, this.#sizeBytes - offset)));
    const count = readSync(this.#descriptor, target, 0, target.length, offset);
    return target.subarray(0, count);
  }
  truncate(sizeBytes: number): void {
    ftruncateSync(this.#descriptor, sizeBytes);
    this.#sizeBytes = sizeBytes;
  }
  close(): void {
    closeSync(this.#descriptor);
  }
}
