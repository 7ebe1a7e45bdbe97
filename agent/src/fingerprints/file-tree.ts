// In: what a scan found in each folder. Out: the index of files, as findings.
// Never: touches a disk, or grows beyond its bounds; what does not fit makes it incomplete, and it
// says so.

import { EVERYTHING } from '@foreshadow/configuration';
import type { UnreadableReason } from '@foreshadow/model';
import { unreadableFile, type FileName, type FileReading } from './file-finding.ts';
import { isSameFinding, type Finding } from './fingerprinter.ts';
import type { Watch } from './watches.ts';

export const FILES_MAX = 20_000;
export const FOLDERS_MAX = 8_192;

export interface Entry extends FileReading {
  /** False when the file must be read again although its stamp stays the same. */
  readonly isSettled: boolean;
}

/** Which inode a folder was when it was indexed. */
export interface Place {
  readonly identity: string;
  readonly device: number;
}

export interface Folder extends FileName, Place {
  readonly parent: Folder | undefined;
  readonly files: Map<string, Entry>;
  readonly folders: Map<string, Folder>;
  problem: UnreadableReason | undefined;
  watch: Watch | undefined;
  isGone: boolean;
}

/**
 * Files below named roots. All changes go through it, so that an unchanged index is told by the
 * same list of findings.
 */
export class FileTree {
  readonly roots = new Map<string, Folder>();
  #findings: readonly Finding[] | undefined;
  #fileCount = 0;
  #folderCount = 0;
  #isCut = false;

  /** Whether something did not fit since `forgetCut`. */
  get isCut(): boolean {
    return this.#isCut;
  }

  forgetCut(): void {
    if (this.#isCut) this.#findings = undefined;
    this.#isCut = false;
  }

  /** @returns the same list until something changes */
  findings(): readonly Finding[] {
    this.#findings ??= [...this.#list()];
    return this.#findings;
  }

  /** @returns undefined when there is no room; the tree is then cut */
  openFolder(file: FileName, place: Place, parent?: Folder): Folder | undefined {
    if (this.#folderCount >= FOLDERS_MAX) {
      this.#cut();
      return undefined;
    }
    this.#folderCount += 1;
    return {
      name: file.name,
      path: unpooled(file.path),
      ...place,
      parent,
      files: new Map(),
      folders: new Map(),
      problem: undefined,
      watch: undefined,
      isGone: false,
    };
  }

  /** Takes a folder, with all below it, out of its parent or the roots. */
  leave(folder: Folder): void {
    const siblings = folder.parent?.folders ?? this.roots;
    for (const [name, sibling] of siblings) if (sibling === folder) siblings.delete(name);
    this.#forget(folder);
  }

  /** @returns false when there is no room; the tree is then cut */
  putFile(folder: Folder, name: string, entry: Entry): boolean {
    const known = folder.files.get(name);
    if (known === undefined && this.#fileCount >= FILES_MAX) {
      this.#cut();
      return false;
    }
    const child = folder.folders.get(name);
    if (child !== undefined) this.leave(child);
    if (known === undefined) this.#fileCount += 1;
    const isSame = known !== undefined && isSameFinding(known.finding, entry.finding);
    folder.files.set(name, isSame ? { ...entry, finding: known.finding } : entry);
    if (!isSame) this.#findings = undefined;
    return true;
  }

  putFolder(folder: Folder, name: string, child: Folder): void {
    this.removeFile(folder, name);
    folder.folders.set(name, child);
  }

  removeFile(folder: Folder, name: string): void {
    if (!folder.files.delete(name)) return;
    this.#fileCount -= 1;
    this.#findings = undefined;
  }

  /** The folder is there but cannot be listed: what is below it is unknown, not gone. */
  blind(folder: Folder, reason: UnreadableReason): void {
    this.#setProblem(folder, reason);
    for (const name of folder.files.keys()) {
      const file: FileName = { path: folder.path, name: `${folder.name}/${name}` };
      this.putFile(folder, name, { ...unreadableFile(file, reason), isSettled: false });
    }
    for (const child of folder.folders.values()) this.blind(child, reason);
  }

  unblind(folder: Folder): void {
    this.#setProblem(folder, undefined);
  }

  #setProblem(folder: Folder, problem: UnreadableReason | undefined): void {
    if (folder.problem === problem) return;
    folder.problem = problem;
    this.#findings = undefined;
  }

  #forget(folder: Folder): void {
    if (folder.isGone) return;
    folder.isGone = true;
    folder.watch?.close();
    this.#folderCount -= 1;
    this.#fileCount -= folder.files.size;
    this.#findings = undefined;
    for (const child of folder.folders.values()) this.#forget(child);
  }

  #cut(): void {
    this.#isCut = true;
    this.#findings = undefined;
  }

  *#list(): Generator<Finding> {
    for (const root of this.roots.values()) yield* findingsBelow(root);
    if (this.#isCut)
      yield { kind: 'unreadable', subject: 'file', name: EVERYTHING, reason: 'too-large' };
  }
}

/** What is kept for long must not keep the pool that short buffers are cut from. */
function unpooled(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function* findingsBelow(folder: Folder): Generator<Finding> {
  if (folder.problem !== undefined)
    yield { kind: 'unreadable', subject: 'file', name: folder.name, reason: folder.problem };
  for (const entry of folder.files.values()) yield entry.finding;
  for (const child of folder.folders.values()) yield* findingsBelow(child);
}
