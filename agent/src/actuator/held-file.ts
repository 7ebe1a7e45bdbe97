// In: a real path that the policy allows. Out: the file and its folder, held open, and reached
// without any link.
// Never: follows a symbolic link at any level, or opens what is not a regular file (a FIFO would
// hang, a device may act).
//
// Node has no openat: each folder is opened with O_NOFOLLOW through the descriptor of the one
// before, by way of /proc/self/fd.

import { accessSync, constants, fstatSync, lstatSync, opendirSync, type Stats } from 'node:fs';
import { hold, readAll, TEMPORARY_PREFIX, type Held } from './durable.ts';
import { isPlainName } from './host-policy.ts';
import { isRefusal, refuse, systemCode, unlessMissing, type Refusal } from './refusal.ts';

export const FOLDER_DEPTH_MAX = 16;
export const FOLDER_ENTRIES_MAX = 10_000;

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A regular file with one name, its whole content, and the folder that holds it. */
export interface HeldFile extends Held {
  readonly path: string;
  readonly name: string;
  readonly folder: Held;
  readonly stats: Stats;
  readonly content: Uint8Array;
}

/**
 * Path of `name` in a held folder; stays right when the folder is renamed or replaced by a link.
 */
export function within(folder: Held, name: string): string {
  return `/proc/self/fd/${folder.descriptor}/${name}`;
}

/**
 * Opens and reads the file at `path`. @throws the system's error where it is no refusal, such as
 * EIO
 */
export function openFile(path: string, options: { readonly bytesMax: number }): HeldFile | Refusal {
  const { folderPath, name } = splitPath(path);
  const folder = openFolder(folderPath);
  if (isRefusal(folder)) return folder;
  using opened = new DisposableStack();
  opened.use(folder);
  const found = unlessMissing(() => lstatSync(within(folder, name)));
  if (found === undefined) return missing(path);
  const wrong = refuseKind(path, found);
  if (wrong !== undefined) return wrong;
  const file = openChild(folder, { name, path, flags: FILE_FLAGS });
  if (isRefusal(file)) return file;
  opened.use(file);
  const stats = fstatSync(file.descriptor);
  if (stats.ino !== found.ino || stats.dev !== found.dev) return changedMeanwhile(path);
  const content = readAll(file.descriptor, options.bytesMax);
  if (content === undefined) {
    return refuse('TARGET_TOO_LARGE', `${path} has more than ${options.bytesMax} bytes`);
  }
  const owned = opened.move();
  const { descriptor } = file;
  const close = (): void => owned.dispose();
  return { path, name, folder, stats, content, descriptor, [Symbol.dispose]: close };
}

/** @returns the folder's path, empty for the root, and the name in it */
export function splitPath(path: string): { readonly folderPath: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { folderPath: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Opens the folder at `path`, each of its parents included; the empty path is the root. */
export function openFolder(path: string): Held | Refusal {
  let folder: Held = hold('/', FOLDER_FLAGS);
  for (const name of path.split('/').slice(1)) {
    using parent = folder;
    const child = openChild(parent, { name, path, flags: FOLDER_FLAGS });
    if (isRefusal(child)) return child;
    folder = child;
  }
  return folder;
}

function openChild(
  folder: Held,
  child: { readonly name: string; readonly path: string; readonly flags: number },
): Held | Refusal {
  try {
    return hold(within(folder, child.name), child.flags);
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
        return missing(child.path);
      case 'ENOTDIR':
      case 'ELOOP':
        return refuse(
          'PATH_HAS_LINK',
          `${child.name} in ${child.path} is a symbolic link or no folder; name the real path in the policy`,
        );
      default:
        throw error;
    }
  }
}

function refuseKind(path: string, stats: Stats): Refusal | undefined {
  if (stats.isSymbolicLink())
    return refuse('PATH_HAS_LINK', `${path} is a symbolic link; name the real path in the policy`);
  if (!stats.isFile()) return refuse('TARGET_NOT_A_FILE', `${path} is not a regular file`);
  if (stats.nlink !== 1) {
    return refuse(
      'TARGET_HAS_LINKS',
      `${path} has ${stats.nlink} names; a replace would part them`,
    );
  }
  return undefined;
}

/** Whether the kernel forbids any change of the file: immutable flag, or read-only file system. */
export function refuseImmutable(file: HeldFile): Refusal | undefined {
  try {
    accessSync(`/proc/self/fd/${file.descriptor}`, constants.W_OK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EPERM' || code === 'EROFS')
      return refuse('TARGET_IMMUTABLE', `${file.path} cannot be changed: the kernel says ${code}`);
    // Without write permission a file can still be replaced by its folder's owner.
    if (code !== 'EACCES') throw error;
  }
  return undefined;
}

/**
 * @returns why the held file is no longer what its name stands for, or no longer has the content
 * that was read
 */
export function refuseChanged(file: HeldFile): Refusal | undefined {
  const now = unlessMissing(() => lstatSync(within(file.folder, file.name)));
  const { ino, dev, mode, ctimeMs } = file.stats;
  // The time of change tells of owner, ACL and attributes too, but is coarse; the mode is exact.
  const isSame =
    now?.ino === ino && now.dev === dev && now.mode === mode && now.ctimeMs === ctimeMs;
  if (!isSame) return changedMeanwhile(file.path);
  const content = readAll(file.descriptor, file.content.length);
  return content !== undefined && Buffer.compare(content, file.content) === 0
    ? undefined
    : changedMeanwhile(file.path);
}

/**
 * @returns paths of the regular files at or under `path`, sorted; what is neither file nor folder
 * is left out
 */
export function listFiles(path: string): readonly string[] | Refusal {
  const { folderPath, name } = splitPath(path);
  const folder = openFolder(folderPath);
  if (isRefusal(folder)) return folder;
  using held = folder;
  const found = unlessMissing(() => lstatSync(within(held, name)));
  if (found === undefined) return missing(path);
  if (!found.isDirectory()) return [path];
  const listing: Listing = { files: [], entryCount: 0 };
  return listInto(listing, path, 0) ?? listing.files.toSorted();
}

interface Listing {
  readonly files: string[];
  entryCount: number;
}

function listInto(listing: Listing, path: string, depth: number): Refusal | undefined {
  if (depth > FOLDER_DEPTH_MAX) return tooMany(path);
  const opened = openFolder(path);
  if (isRefusal(opened)) return opened;
  using folder = opened;
  using entries = opendirSync(within(folder, '.'));
  for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
    listing.entryCount += 1;
    if (listing.entryCount > FOLDER_ENTRIES_MAX) return tooMany(path);
    if (!isPlainName(entry.name) || entry.name.startsWith(TEMPORARY_PREFIX)) continue;
    const child = `${path}/${entry.name}`;
    if (entry.isFile()) listing.files.push(child);
    const refusal = entry.isDirectory() ? listInto(listing, child, depth + 1) : undefined;
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function tooMany(path: string): Refusal {
  return refuse(
    'TOO_MANY_FILES',
    `${path} is deeper than ${FOLDER_DEPTH_MAX} folders or larger than ${FOLDER_ENTRIES_MAX} entries; name a smaller folder in the policy`,
  );
}

function missing(path: string): Refusal {
  return refuse('TARGET_MISSING', `${path} does not exist`);
}

function changedMeanwhile(path: string): Refusal {
  return refuse(
    'TARGET_CHANGED',
    `${path} was changed by somebody else meanwhile; it is left alone`,
  );
}
