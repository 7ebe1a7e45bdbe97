// In: dpkg's status file. Out: a finding for each installed package.
// Never: starts a process; the status file is dpkg's own database and is replaced as a whole.

import { stat } from 'node:fs/promises';
import { itemDigest } from '@foreshadow/configuration';
import { CodedError } from '@foreshadow/runtime';
import type { Finding, Fingerprinter } from './fingerprinter.ts';
import { readRegular, stampOf } from './reading.ts';

export const PACKAGE_STATUS_BYTES_MAX = 64 * 1024 * 1024;

export interface PackagesOptions {
  readonly key: Uint8Array;
  /** dpkg's database. */
  readonly statusFile?: string;
}

/** What dpkg says of a package that is installed. */
export interface InstalledPackage {
  readonly name: string;
  readonly architecture: string;
  readonly version: string;
  /** What the operator wants of it: `install`, or `hold` where it is kept from upgrades. */
  readonly selection: string;
}

export function createPackagesFingerprinter(options: PackagesOptions): Fingerprinter {
  const path = options.statusFile ?? '/var/lib/dpkg/status';
  let known: { readonly stamp: string; readonly findings: readonly Finding[] } | undefined;
  return {
    name: 'packages',
    subject: 'package',
    read: async (effort, signal) => {
      const stamp = stampOf(await stat(path));
      if (known?.stamp === stamp && effort !== 'rehash') return known.findings;
      const status = await readRegular(path, { bytesMax: PACKAGE_STATUS_BYTES_MAX });
      signal.throwIfAborted();
      const packages = parsePackageStatus(status.content);
      if (packages.length === 0)
        throw new CodedError(
          'PACKAGE_STATUS_EMPTY',
          `${path} names no installed package; is it being written, or of another format?`,
        );
      const findings = packages.map((one) => findingOf(options.key, one));
      known = { stamp: status.stamp, findings };
      return findings;
    },
  };
}

/**
 * Paragraphs with `Package`, `Status`, `Version` and `Architecture`. Those that are not installed
 * are left out. Cost linear.
 *
 * Takes bytes, because a piece of a text keeps the whole text in memory, and this one has
 * megabytes.
 */
export function parsePackageStatus(content: Buffer): readonly InstalledPackage[] {
  const packages = new Map<string, InstalledPackage>();
  for (const paragraph of paragraphsOf(content)) {
    const [selection, , state] = fieldOf(paragraph, 'Status')?.split(' ') ?? [];
    const name = fieldOf(paragraph, 'Package');
    const version = fieldOf(paragraph, 'Version');
    const architecture = fieldOf(paragraph, 'Architecture');
    if (state !== 'installed' || selection === undefined) continue;
    if (name === undefined || version === undefined || architecture === undefined) continue;
    packages.set(`${name}:${architecture}`, { name, architecture, version, selection });
  }
  return [...packages.values()];
}

/** Each begins with a line break, so that all of its fields follow one. */
function* paragraphsOf(content: Buffer): Generator<Buffer> {
  const lines = Buffer.concat([Buffer.from('\n'), content]);
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf('\n\n', start);
    const next = end === -1 ? lines.length : end + 1;
    yield lines.subarray(start, next);
    start = next;
  }
}

function fieldOf(paragraph: Buffer, field: string): string | undefined {
  const head = `\n${field}: `;
  const at = paragraph.indexOf(head);
  if (at === -1) return undefined;
  const end = paragraph.indexOf('\n', at + 1);
  const value = paragraph
    .toString('utf8', at + head.length, end === -1 ? paragraph.length : end)
    .trim();
  return value === '' ? undefined : value;
}

function findingOf(key: Uint8Array, one: InstalledPackage): Finding {
  const name = `${one.name}:${one.architecture}`;
  return {
    kind: 'present',
    item: {
      subject: 'package',
      name,
      digest: itemDigest(key, ['package', name, one.version, one.selection]),
      facts: { version: one.version, selection: one.selection },
    },
  };
}
