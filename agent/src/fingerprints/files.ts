// In: folders. Out: a finding for each file and link below them, from an index that is kept up to
// date.
// Never: holds content, follows a link, leaves a root's file system, or forgets what it merely
// cannot see.

import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { glob, lstat, readdir, stat as statFollowing } from 'node:fs/promises';
import type { FileRoot } from '@foreshadow/configuration';
import type { HostEvent } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { createAccounts, type Accounts } from './accounts.ts';
import { readFinding, unreadableFile, type FileName } from './file-finding.ts';
import { FILES_MAX, FOLDERS_MAX, FileTree, type Folder, type Place } from './file-tree.ts';
import type { Effort, Finding, Fingerprinter } from './fingerprinter.ts';
import { createMatcher } from './globs.ts';
import { escapeName } from './names.ts';
import { createPace, type Pace } from './pace.ts';
import { identityOf, reasonOf, stampOf } from './reading.ts';
import { Watches, type Watch } from './watches.ts';

export const ROOTS_MAX = 64;
export const FILES_READ_PER_SECOND_MAX = 500;
/**
 * A file that changed this shortly before it was read may change again within one tick of the file
 * system's clock.
 */
export const SETTLE_MS = 100;
/** A look that took longer had to wait for a disk; see `Scan`. */
export const LOOK_MS_MAX = 5;
/** The longest that a scan looks without letting others have their turn. */
export const STRETCH_MS_MAX = 10;

export interface FilesOptions {
  readonly roots: readonly FileRoot[];
  /** Globs on logical paths. */
  readonly exclude: readonly string[];
  /** Enters file systems that are mounted below a root; off by default. */
  readonly crossesFilesystems?: boolean;
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly onEvent: (event: HostEvent) => void;
  readonly accounts?: { readonly passwd: string; readonly group: string };
  readonly filesPerSecondMax?: number;
}

/**
 * One pass. Folders and names are looked at directly, as the thread pool costs ten times what the
 * system call does; but the first folder, and one in each stretch, is asked through the pool, which
 * lets others have their turn and shows that the disk answers. From the first look that was slow on
 * everything is, so that a sleeping disk holds up nothing else.
 */
interface Scan {
  readonly effort: Effort;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  stretchSinceMs: number;
  isDiskSlow: boolean;
}

/** A name within a folder; `file` has the whole path. */
interface Child {
  readonly folder: Folder;
  readonly name: string;
  readonly file: FileName;
}

/**
 * Fingerprints files and links. @throws TypeError for a root that names several folders by one
 * logical name
 */
export function createFilesFingerprinter(options: FilesOptions): Fingerprinter {
  // A root that goes by its own name needs no other, and may then name several folders.
  const roots = options.roots.map(({ path, as }) =>
    as === undefined || as === path ? { path } : { path, as },
  );
  for (const { path, as } of roots)
    if (as !== undefined && path.includes('*'))
      throw new TypeError(`root ${path} names several folders, so it cannot go by one name`);
  return new FilesFingerprinter({ ...options, roots });
}

class FilesFingerprinter implements Fingerprinter {
  readonly name = 'files';
  readonly subject = 'file';
  readonly #options: FilesOptions;
  readonly #accounts: Accounts;
  readonly #isExcluded: (path: string) => boolean;
  readonly #watches: Watches;
  readonly #tree = new FileTree();
  readonly #noticed = new Set<Folder>();
  #onNotice: (() => void) | undefined;
  #hasToldCut = false;

  constructor(options: FilesOptions) {
    this.#options = options;
    this.#accounts = createAccounts(
      options.accounts ?? { passwd: '/etc/passwd', group: '/etc/group' },
    );
    this.#isExcluded = createMatcher(options.exclude);
    this.#watches = new Watches((why) => {
      this.#tell(
        'fingerprint-watches-exhausted',
        `no more folders can be watched (${why}); changes in the others are seen by the rescan; ` +
          'raise fs.inotify.max_user_watches',
      );
    });
  }

  watch(onNotice: () => void): void {
    this.#onNotice = onNotice;
  }

  close(): void {
    this.#watches.close();
  }

  async read(effort: Effort, signal: AbortSignal): Promise<readonly Finding[]> {
    // A new name for an owner changes digests of files that did not change.
    const isRenamed = await this.#accounts.refresh();
    const pace = createPace(
      this.#options.clock,
      this.#options.filesPerSecondMax ?? FILES_READ_PER_SECOND_MAX,
    );
    const scan: Scan = {
      effort: isRenamed ? 'rehash' : effort,
      pace,
      signal,
      stretchSinceMs: -Infinity,
      isDiskSlow: false,
    };
    if (scan.effort === 'noticed') await this.#scanNoticed(scan);
    else await this.#scanRoots(scan);
    if (this.#tree.isCut) this.#tellCut();
    return this.#tree.findings();
  }

  async #scanNoticed(scan: Scan): Promise<void> {
    // A copy: what is noticed again meanwhile waits for its own turn.
    for (const folder of Array.from(this.#noticed)) {
      this.#noticed.delete(folder);
      if (folder.isGone) continue;
      try {
        await this.#scanFolder(folder, scan);
      } catch (error) {
        this.#noticed.add(folder);
        throw error;
      }
    }
  }

  async #scanRoots(scan: Scan): Promise<void> {
    this.#noticed.clear();
    this.#tree.forgetCut(); // There may be room now; what does not fit will say so again.
    const names = new Map<string, string>();
    for (const root of this.#options.roots)
      for (const path of await expand(root.path)) names.set(path, trimmed(root.as ?? path));
    const taken = new Set<string>();
    for (const [path, name] of [...names].slice(0, ROOTS_MAX)) {
      const root = await this.#openRoot(path, name, taken);
      if (root === undefined) continue;
      taken.add(root.identity);
      await this.#scanFolder(root, scan);
    }
    for (const [path, root] of this.#tree.roots) if (!names.has(path)) this.#tree.leave(root);
  }

  /**
   * @param taken identities of the roots before it
   * @returns undefined when there is no such folder, it may not be looked at, or it is a root
   *   already
   */
  async #openRoot(
    path: string,
    name: string,
    taken: ReadonlySet<string>,
  ): Promise<Folder | undefined> {
    const file: FileName = { path: Buffer.from(path), name };
    const known = this.#tree.roots.get(path);
    let place: Place;
    try {
      place = placeOf(await statFollowing(file.path));
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === 'vanished') {
        if (known !== undefined) this.#tree.leave(known);
        return undefined;
      }
      const blind = known ?? this.#putRoot(path, file, { identity: '', device: -1 });
      if (blind !== undefined) this.#tree.blind(blind, reason);
      return undefined;
    }
    // The same folder by another path, such as /lib beside /usr/lib.
    const isTaken = taken.has(place.identity);
    if (known?.identity === place.identity && !isTaken) return known;
    if (known !== undefined) this.#tree.leave(known);
    return isTaken ? undefined : this.#putRoot(path, file, place);
  }

  #putRoot(path: string, file: FileName, place: Place): Folder | undefined {
    const root = this.#tree.openFolder(file, place);
    if (root !== undefined) this.#tree.roots.set(path, root);
    return root;
  }

  async #scanFolder(folder: Folder, scan: Scan): Promise<void> {
    scan.signal.throwIfAborted();
    // Watched before it is read, so that nothing falls between.
    if (this.#onNotice !== undefined) folder.watch ??= this.#watchFolder(folder);
    let names: readonly Buffer[];
    try {
      names = await this.#list(folder.path, scan);
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === 'vanished') this.#tree.leave(folder);
      else this.#tree.blind(folder, reason);
      return;
    }
    this.#tree.unblind(folder);
    const seen = new Set<string>();
    for (const bytes of names.toSorted((left, right) => left.compare(right))) {
      scan.signal.throwIfAborted();
      const name = escapeName(bytes);
      const path = Buffer.concat([folder.path, SLASH, bytes]);
      const child: Child = { folder, name, file: { path, name: `${folder.name}/${name}` } };
      if (await this.#scanChild(child, scan)) seen.add(name);
    }
    for (const name of folder.files.keys())
      if (!seen.has(name)) this.#tree.removeFile(folder, name);
    for (const [name, child] of folder.folders) if (!seen.has(name)) this.#tree.leave(child);
  }

  /** @returns whether the folder now holds the child */
  async #scanChild(child: Child, scan: Scan): Promise<boolean> {
    const { folder, name, file } = child;
    const knownFolder = folder.folders.get(name);
    const isKnown = knownFolder !== undefined || folder.files.has(name);
    if (!isKnown && this.#isExcluded(file.name)) return false;
    let stat: Stats;
    try {
      stat = scan.isDiskSlow
        ? await lstat(file.path)
        : this.#look(scan, () => lstatSync(file.path));
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === 'vanished') return false;
      if (knownFolder !== undefined) this.#tree.blind(knownFolder, reason);
      else this.#tree.putFile(folder, name, { ...unreadableFile(file, reason), isSettled: false });
      return true;
    }
    if (!stat.isDirectory()) return this.#scanFile(child, stat, scan);
    const isForeign = stat.dev !== folder.device && this.#options.crossesFilesystems !== true;
    if (!isForeign) return this.#scanSubfolder(child, stat, scan);
    const reading = unreadableFile(file, 'not-a-file', stat);
    return this.#tree.putFile(folder, name, { ...reading, isSettled: true });
  }

  async #list(path: Buffer, scan: Scan): Promise<readonly Buffer[]> {
    const { clock } = this.#options;
    if (!scan.isDiskSlow && clock.monotonicMs() - scan.stretchSinceMs < STRETCH_MS_MAX)
      return this.#look(scan, () => readdirSync(path, { encoding: 'buffer' }));
    const names = await readdir(path, { encoding: 'buffer' });
    scan.stretchSinceMs = clock.monotonicMs();
    return names;
  }

  #look<Answer>(scan: Scan, ask: () => Answer): Answer {
    const startMs = this.#options.clock.monotonicMs();
    const answer = ask();
    scan.isDiskSlow = this.#options.clock.monotonicMs() - startMs > LOOK_MS_MAX;
    return answer;
  }

  async #scanSubfolder(child: Child, stat: Stats, scan: Scan): Promise<boolean> {
    const { folder, name, file } = child;
    const place = placeOf(stat);
    let known = folder.folders.get(name);
    if (known !== undefined && known.identity !== place.identity) {
      this.#tree.leave(known);
      known = undefined;
    }
    // A known one that was noticed is scanned in its own turn.
    if (known !== undefined && scan.effort === 'noticed') return true;
    const subfolder = known ?? this.#tree.openFolder(file, place, folder);
    if (subfolder === undefined) return false;
    this.#tree.putFolder(folder, name, subfolder);
    await this.#scanFolder(subfolder, scan);
    return !subfolder.isGone;
  }

  async #scanFile(child: Child, stat: Stats, scan: Scan): Promise<boolean> {
    const known = child.folder.files.get(child.name);
    const looksSame = known?.isSettled === true && known.stamp === stampOf(stat);
    if (looksSame && scan.effort !== 'rehash') return true;
    await scan.pace.take(scan.signal);
    const startMs = this.#options.clock.nowMs();
    const reader = {
      key: this.#options.key,
      accounts: this.#accounts,
      logicalTarget: (target: string) => this.#logicalTarget(target),
    };
    const reading = await readFinding(reader, child.file, stat, scan.signal);
    if (reading === undefined) return false;
    const isSettled = startMs - reading.changedAtMs > SETTLE_MS;
    return this.#tree.putFile(child.folder, child.name, { ...reading, isSettled });
  }

  #watchFolder(folder: Folder): Watch | undefined {
    return this.#watches.add(folder.path, (notice) => {
      this.#noticed.add(folder);
      if (notice === 'itself') {
        folder.watch = undefined;
        if (folder.parent !== undefined) this.#noticed.add(folder.parent);
      }
      this.#onNotice?.();
    });
  }

  /** A link into a root points at the same place on a host where that root lies elsewhere. */
  #logicalTarget(target: string): string {
    for (const root of this.#options.roots)
      if (root.as !== undefined && target.startsWith(`${trimmed(root.path)}/`))
        return trimmed(root.as) + target.slice(trimmed(root.path).length);
    return target;
  }

  #tellCut(): void {
    if (this.#hasToldCut) return;
    this.#hasToldCut = true;
    this.#tell(
      'fingerprint-files-cut',
      `the fingerprint roots hold more than ${FILES_MAX} files or ${FOLDERS_MAX} folders; ` +
        'the rest is not compared; narrow the roots or exclude more',
    );
  }

  #tell(kind: string, sentence: string): void {
    this.#options.onEvent({ kind, atMs: this.#options.clock.nowMs(), sentence, details: {} });
  }
}

const SLASH = Buffer.from('/');

function placeOf(stat: Stats): Place {
  return { identity: identityOf(stat), device: stat.dev };
}

/** @returns the folders that a root names, sorted */
async function expand(path: string): Promise<readonly string[]> {
  if (!path.includes('*')) return [path];
  const paths: string[] = [];
  for await (const found of glob(path)) {
    paths.push(found);
    if (paths.length >= ROOTS_MAX) break;
  }
  return paths.toSorted();
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}
