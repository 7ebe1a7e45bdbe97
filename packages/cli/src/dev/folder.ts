// In: the folder that a person named, or nothing.
// Out: a folder that is empty or of an earlier run, and nobody else's for as long as this run.
// Never: takes a folder with anything else in it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CodedError, CONFIG_BYTES_MAX, lockFolder, systemDisk } from '@foreshadow/runtime';
import { controllerConfigPathIn, WRITTEN_BY_DEV } from './layout.ts';

export interface Folder extends AsyncDisposable {
  readonly path: string;
  readonly isKept: boolean;
}

/**
 * @param given absent for a temporary folder, which is removed at the end
 * @throws CodedError FOLDER_NOT_OURS, FOLDER_LOCKED
 */
export async function openFolder(given: string | undefined): Promise<Folder> {
  if (given !== undefined) {
    const path = resolve(given);
    await requireOurs(path);
    const lock = await lockFolder(path);
    return { path, isKept: true, [Symbol.asyncDispose]: async () => lock[Symbol.asyncDispose]() };
  }
  const path = await mkdtemp(join(tmpdir(), 'foreshadow-dev-'));
  return {
    path,
    isKept: false,
    [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }),
  };
}

/** @throws CodedError FOLDER_NOT_OURS: files of somebody else could be written over */
async function requireOurs(folder: string): Promise<void> {
  const names = await systemDisk.list(folder);
  // A lock alone is left by a run that was ended before it wrote anything.
  if (names.every((name) => name === 'lock')) return;
  const path = controllerConfigPathIn(folder);
  const config = await systemDisk.read(path, { bytesMax: CONFIG_BYTES_MAX });
  if (config !== undefined && Buffer.from(config).toString().startsWith(WRITTEN_BY_DEV)) return;
  throw new CodedError(
    'FOLDER_NOT_OURS',
    `${folder} is not empty and was not written by foreshadow dev; choose another folder`,
  );
}
