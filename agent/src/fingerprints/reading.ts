// In: paths. Out: bounded content, stamps that tell whether a file changed, and why something could
// not be read.
// Never: follows a symbolic link unless told to, waits for a pipe, or opens what is not a regular
// file for longer than to see that.

import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { UnreadableReason } from '@foreshadow/model';
import { CodedError, codeOf } from '@foreshadow/runtime';

/** Without waiting for a writer (pipes) and without following a last link. */
export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Changes whenever content or attributes do, as far as the file system tells. Joined, as a text
 * that was put together by `+` keeps its pieces, and there is one of these for every file.
 */
export function stampOf({ dev, ino, size, mtimeMs, ctimeMs, mode }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs, mode].join(':');
}

/** Names a folder, or any inode, as long as it exists. */
export function identityOf(stat: Stats): string {
  return `${stat.dev}:${stat.ino}`;
}

const reasons: Readonly<Record<string, UnreadableReason>> = {
  ENOENT: 'vanished',
  ENOTDIR: 'vanished',
  EACCES: 'permission',
  EPERM: 'permission',
  ELOOP: 'not-a-file', // A link took the place of the file between looking and opening.
  ENXIO: 'not-a-file', // A socket, or a device that is not there.
  FILE_TOO_LARGE: 'too-large',
  NOT_A_FILE: 'not-a-file',
};

/** Why an attempt to read failed, in the words of the model. */
export function reasonOf(error: unknown): UnreadableReason {
  return reasons[codeOf(error)] ?? 'io-error';
}

/**
 * Reads a small regular file as it stands.
 * @throws CodedError FILE_TOO_LARGE or NOT_A_FILE; the system's error otherwise
 */
export async function readRegular(
  path: string,
  options: { readonly bytesMax: number; readonly followsLinks?: boolean },
): Promise<{ readonly content: Buffer; readonly stamp: string }> {
  const flags = options.followsLinks === true ? OPEN_FLAGS & ~constants.O_NOFOLLOW : OPEN_FLAGS;
  await using file = await open(path, flags);
  const stat = await file.stat();
  if (!stat.isFile())
    throw new CodedError('NOT_A_FILE', `${path} is not a regular file; leave it out or replace it`);
  if (stat.size > options.bytesMax)
    throw new CodedError(
      'FILE_TOO_LARGE',
      `${path} has ${stat.size} bytes, over the ${options.bytesMax} that are read; make it smaller`,
    );
  return { content: await file.readFile(), stamp: stampOf(stat) };
}
