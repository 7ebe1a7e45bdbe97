// In: paths, descriptors and bytes. Out: bytes read whole, and bytes that survive a power cut.
// Never: retries an fsync; after a failed one the kernel has forgotten what was lost.

import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { FatalError } from './refusal.ts';

export const TEMPORARY_PREFIX = '.foreshadow-';

/**
 * All or nothing: a temporary file in the same folder, fsync, rename, fsync of the folder. Mode
 * 0600.
 */
export function replaceDurably(path: string, bytes: Uint8Array): void {
  const temporary = join(dirname(path), `${TEMPORARY_PREFIX}new`);
  rmSync(temporary, { force: true });
  using file = createFile(temporary);
  writeAll(file.descriptor, bytes);
  sync(file.descriptor);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** A descriptor that is closed at the end of its scope. */
export interface Held extends Disposable {
  readonly descriptor: number;
}

export function hold(path: string, flags: number, mode?: number): Held {
  const descriptor = openSync(path, flags, mode);
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
}

/** Creates a file that nobody else has, mode 0600. @throws EEXIST */
export function createFile(path: string): Held {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return hold(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
}

/**
 * @returns everything from the start of the file, or undefined when that is more than `bytesMax`
 * bytes
 */
export function readAll(descriptor: number, bytesMax: number): Uint8Array | undefined {
  const chunk = Buffer.alloc(64 * 1024);
  const chunks: Buffer[] = [];
  let size = 0;
  while (size <= bytesMax) {
    const count = readSync(descriptor, chunk, 0, chunk.length, size);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(Buffer.from(chunk.subarray(0, count)));
    size += count;
  }
  return undefined;
}

export function syncFolder(path: string): void {
  using folder = hold(path, constants.O_RDONLY | constants.O_DIRECTORY);
  sync(folder.descriptor);
}

/** Makes a file or folder durable. @throws FatalError SYNC_FAILED: what was lost cannot be known */
export function sync(descriptor: number): void {
  try {
    fsyncSync(descriptor);
  } catch (cause) {
    throw new FatalError('SYNC_FAILED', 'the disk did not confirm what was written to it', {
      cause,
    });
  }
}

/** Creates the folder and its parents, mode 0700 where missing. */
export function makeFolder(path: string): void {
  if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(dirname(path));
}
