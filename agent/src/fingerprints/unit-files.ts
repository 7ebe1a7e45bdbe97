// In: one of systemd's unit folders. Out: what it defines, wants and overrides.
// Never: interprets a unit beyond whether it can be installed.
//
// Names and stamps are read synchronously: the kernel has them in memory, as systemd reads them,
// and the thread pool costs ten times as much. Whether the disk answers was asked through the pool
// first.

import { readdirSync, readlinkSync, statSync, type Dirent } from 'node:fs';
import { basename } from 'node:path';
import { fileContentDigest } from '@foreshadow/configuration';
import { readRegular, reasonOf, stampOf } from './reading.ts';

export const UNIT_BYTES_MAX = 1024 * 1024;
export const UNIT_FILES_MAX = 16_384;

/** `host`: written by whoever runs the host. `vendor`: came with a package. */
export type UnitOrigin = 'host' | 'vendor';

export interface UnitSource {
  readonly path: string;
  /** Where it points, for a link. */
  readonly target: string | undefined;
  readonly from: UnitOrigin;
}

/** Units by name; `dropIns` are paths by file name. What is there first stays. */
export interface Units {
  readonly definitions: Map<string, UnitSource>;
  readonly wantedBy: Map<string, string[]>;
  readonly dropIns: Map<string, Map<string, string>>;
}

export interface UnitContent {
  readonly content: string;
  readonly isEmpty: boolean;
  readonly isInstallable: boolean;
}

/** Adds what `folder` says to `units`. */
export function readUnitFolder(units: Units, folder: string, from: UnitOrigin): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (isUnit(entry.name)) {
      if (entry.isDirectory() || units.definitions.has(entry.name)) continue;
      const target = entry.isSymbolicLink() ? readlinkSync(path) : undefined;
      units.definitions.set(entry.name, { path, target, from });
    } else if (/\.(?:wants|requires|upholds)$/.test(entry.name)) {
      readWants(units, path);
    } else if (entry.name.endsWith('.d') && isUnit(entry.name.slice(0, -2))) {
      readDropIns(units, path);
    }
  }
}

export function isTemplate(name: string): boolean {
  return name.includes('@.');
}

/** Digests of unit files, read again only when their stamp changes. */
export class UnitFiles {
  readonly #key: Uint8Array;
  readonly #known = new Map<string, UnitContent & { readonly stamp: string }>();

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  clear(): void {
    this.#known.clear();
  }

  /**
   * A link is followed: a unit may be kept elsewhere and linked. @throws CodedError or the system's
   * error
   */
  async read(path: string): Promise<UnitContent> {
    const known = this.#known.get(path);
    if (known !== undefined && known.stamp === stampOf(statSync(path))) return known;
    const { content, stamp } = await readRegular(path, {
      bytesMax: UNIT_BYTES_MAX,
      followsLinks: true,
    });
    const read = {
      stamp,
      content: fileContentDigest(this.#key, content),
      isEmpty: content.length === 0,
      isInstallable: /^\[Install\]/m.test(content.toString('utf8')),
    };
    if (this.#known.size >= UNIT_FILES_MAX) this.#known.clear();
    this.#known.set(path, read);
    return read;
  }
}

function isUnit(name: string): boolean {
  return /.\.(?:service|socket|timer)$/.test(name);
}

function readWants(units: Units, folder: string): void {
  for (const entry of listIfThere(folder)) {
    if (!isUnit(entry.name)) continue;
    const by = basename(folder);
    const known = units.wantedBy.get(entry.name) ?? [];
    units.wantedBy.set(entry.name, known.includes(by) ? known : [...known, by]);
  }
}

function readDropIns(units: Units, folder: string): void {
  const unit = basename(folder).slice(0, -2);
  for (const entry of listIfThere(folder)) {
    if (!entry.name.endsWith('.conf')) continue;
    const known = units.dropIns.get(unit) ?? new Map<string, string>();
    if (!known.has(entry.name)) known.set(entry.name, `${folder}/${entry.name}`);
    units.dropIns.set(unit, known);
  }
}

function listIfThere(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (reasonOf(error) === 'vanished') return [];
    throw error;
  }
}
