// In: one file or link. Out: its finding.
// Never: keeps or returns content, or blocks on what is not a regular file.

import type { Stats } from 'node:fs';
import { open, readlink, type FileHandle } from 'node:fs/promises';
import {
  createContentDigest,
  fileItemDigest,
  type FileAttributes,
} from '@foreshadow/configuration';
import type { UnreadableReason } from '@foreshadow/model';
import type { Accounts } from './accounts.ts';
import type { Finding } from './fingerprinter.ts';
import { escapeName } from './names.ts';
import { OPEN_FLAGS, reasonOf, stampOf } from './reading.ts';

/** Larger files are reported as unreadable: too-large. */
export const FILE_BYTES_MAX = 50 * 1024 * 1024;
export const FILE_ATTEMPTS_MAX = 3;
const CHUNK_BYTES = 64 * 1024;

export interface FileReader {
  readonly key: Uint8Array;
  readonly accounts: Accounts;
  /** Turns the target of a link into its logical form. */
  readonly logicalTarget: (target: string) => string;
}

export interface FileName {
  readonly path: Buffer;
  /** Logical name. */
  readonly name: string;
}

/** What was read, and the stamp of what it was read from. */
export interface FileReading {
  /** Empty where it must be read again in any case. */
  readonly stamp: string;
  /** When the inode last changed, epoch ms by the file system's clock. */
  readonly changedAtMs: number;
  readonly finding: Finding;
}

/** @param stat what `lstat` said of it  @returns undefined when it is gone */
export async function readFinding(
  reader: FileReader,
  file: FileName,
  stat: Stats,
  signal: AbortSignal,
): Promise<FileReading | undefined> {
  try {
    if (stat.isSymbolicLink()) {
      const target = reader.logicalTarget(escapeName(await readlink(file.path, 'buffer')));
      return presentFinding(reader, file, stat, { kind: 'link', target });
    }
    if (!stat.isFile()) return unreadableFile(file, 'not-a-file', stat);
    for (let attempt = 1; attempt <= FILE_ATTEMPTS_MAX; attempt += 1) {
      const reading = await readContent(reader, file, signal);
      if (reading !== undefined) return reading;
    }
    // It changed under every attempt: tried again next time.
    return unreadableFile(file, 'io-error');
  } catch (error) {
    if (signal.aborted) throw error;
    const reason = reasonOf(error);
    return reason === 'vanished' ? undefined : unreadableFile(file, reason, stat);
  }
}

/** @param stat absent where it must be read again in any case */
export function unreadableFile(
  file: FileName,
  reason: UnreadableReason,
  stat?: Stats,
): FileReading {
  return {
    stamp: stat === undefined ? '' : stampOf(stat),
    changedAtMs: stat?.ctimeMs ?? 0,
    finding: { kind: 'unreadable', subject: 'file', name: file.name, reason },
  };
}

/** @returns undefined when the file changed while it was read */
async function readContent(
  reader: FileReader,
  file: FileName,
  signal: AbortSignal,
): Promise<FileReading | undefined> {
  await using handle = await open(file.path, OPEN_FLAGS);
  const before = await handle.stat();
  if (!before.isFile()) return unreadableFile(file, 'not-a-file', before);
  if (before.size > FILE_BYTES_MAX) return unreadableFile(file, 'too-large', before);
  const content = await digestContent(handle, reader.key, before.size, signal);
  const after = await handle.stat();
  if (content === undefined || stampOf(before) !== stampOf(after)) return undefined;
  return presentFinding(reader, file, after, { kind: 'file', content });
}

/** @returns undefined when there is more than `sizeBytes` */
async function digestContent(
  handle: FileHandle,
  key: Uint8Array,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const digest = createContentDigest(key);
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes + 1));
  for (let readBytes = 0; readBytes <= sizeBytes;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(chunk, 0, chunk.length);
    digest.update(chunk.subarray(0, bytesRead));
    readBytes += bytesRead;
    if (bytesRead === 0 || readBytes === sizeBytes) return digest.finish();
  }
  return undefined;
}

function presentFinding(
  reader: FileReader,
  file: FileName,
  stat: Stats,
  what: Pick<FileAttributes, 'kind' | 'content' | 'target'>,
): FileReading {
  const attributes: FileAttributes = {
    ...what,
    mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'),
    owner: reader.accounts.ownerOf(stat.uid),
    group: reader.accounts.groupOf(stat.gid),
  };
  const { kind, content, target, mode, owner, group } = attributes;
  return {
    stamp: stampOf(stat),
    changedAtMs: stat.ctimeMs,
    finding: {
      kind: 'present',
      item: {
        subject: 'file',
        name: file.name,
        digest: fileItemDigest(reader.key, attributes),
        facts: {
          mode,
          owner,
          group,
          ...(kind === 'file' ? { size: String(stat.size) } : {}),
          ...(content === undefined ? {} : { content }),
          ...(target === undefined ? {} : { target: target.slice(0, FACT_LENGTH_MAX) }),
        },
        modifiedAtMs: Math.trunc(stat.mtimeMs),
      },
    },
  };
}

/** Longer values are cut in what people see; the digest covers them whole. */
export const FACT_LENGTH_MAX = 256;
