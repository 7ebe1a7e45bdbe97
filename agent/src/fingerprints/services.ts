// In: systemd's unit folders. Out: a finding for each service, socket and timer: its definition and
// whether it is enabled.
// Never: starts a process or asks systemd; what is written down is the configuration, what runs now
// is not.

import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { itemDigest } from '@foreshadow/configuration';
import { FACT_LENGTH_MAX } from './file-finding.ts';
import type { Finding, Fingerprinter } from './fingerprinter.ts';
import { reasonOf } from './reading.ts';
import {
  UnitFiles,
  isTemplate,
  readUnitFolder,
  type UnitSource,
  type Units,
} from './unit-files.ts';

/**
 * The first that defines a unit wins; `/lib` is left out where it is the same folder as `/usr/lib`.
 */
export const unitFolders = [
  '/etc/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
] as const;

export type UnitState =
  | 'enabled'
  | 'disabled'
  | 'static' // Has no [Install] section: started by others only.
  | 'masked'
  | 'alias'
  | 'missing'; // Enabled, but nothing defines it.

export interface ServicesOptions {
  readonly key: Uint8Array;
  /** Put before each unit folder. */
  readonly root?: string;
}

export function createServicesFingerprinter(options: ServicesOptions): Fingerprinter {
  const files = new UnitFiles(options.key);
  return {
    name: 'services',
    subject: 'service',
    read: async (effort, signal) => {
      if (effort === 'rehash') files.clear();
      const units = await readUnits(options.root ?? '', signal);
      const names = new Set([...units.definitions.keys(), ...units.wantedBy.keys()]);
      const findings: Finding[] = [];
      for (const name of names) {
        signal.throwIfAborted();
        if (isTemplate(name)) continue; // A template is part of each of its instances.
        findings.push(await findingOf(options.key, files, units, name));
      }
      return findings;
    },
  };
}

async function readUnits(root: string, signal: AbortSignal): Promise<Units> {
  const units: Units = { definitions: new Map(), wantedBy: new Map(), dropIns: new Map() };
  const taken = new Set<string>();
  for (const folder of unitFolders) {
    signal.throwIfAborted();
    const path = root + folder;
    try {
      const { dev, ino } = await stat(path);
      if (taken.has(`${dev}:${ino}`)) continue;
      taken.add(`${dev}:${ino}`);
      readUnitFolder(units, path, folder.startsWith('/etc') ? 'host' : 'vendor');
    } catch (error) {
      if (reasonOf(error) !== 'vanished') throw error;
    }
  }
  return units;
}

async function findingOf(
  key: Uint8Array,
  files: UnitFiles,
  units: Units,
  name: string,
): Promise<Finding> {
  try {
    const definition = units.definitions.get(name) ?? units.definitions.get(templateOf(name));
    const wants = units.wantedBy.get(name) ?? [];
    const { state, content, from } = await stateOf(files, definition, wants.length > 0, name);
    const wantedBy = wants.toSorted().join(' ');
    const dropIns = new Map([
      ...(units.dropIns.get(templateOf(name)) ?? []),
      ...(units.dropIns.get(name) ?? []),
    ]);
    const parts = ['service', name, state, from, content, wantedBy];
    for (const [fileName, path] of [...dropIns].toSorted(byFirst))
      parts.push(fileName, (await files.read(path)).content);
    return {
      kind: 'present',
      item: {
        subject: 'service',
        name,
        digest: itemDigest(key, parts),
        facts: {
          state,
          from,
          ...(wantedBy === '' ? {} : { wantedBy: wantedBy.slice(0, FACT_LENGTH_MAX) }),
          ...(dropIns.size === 0 ? {} : { dropIns: String(dropIns.size) }),
        },
      },
    };
  } catch (error) {
    return { kind: 'unreadable', subject: 'service', name, reason: reasonOf(error) };
  }
}

async function stateOf(
  files: UnitFiles,
  definition: UnitSource | undefined,
  isWanted: boolean,
  name: string,
): Promise<{ readonly state: UnitState; readonly content: string; readonly from: string }> {
  if (definition === undefined) return { state: 'missing', content: '', from: 'nowhere' };
  const { target, from } = definition;
  if (target === '/dev/null') return { state: 'masked', content: '', from };
  const pointsAt = target === undefined ? undefined : basename(target);
  if (pointsAt !== undefined && pointsAt !== name && pointsAt !== templateOf(name))
    return { state: 'alias', content: pointsAt, from };
  const { content, isEmpty, isInstallable } = await files.read(definition.path);
  if (isEmpty) return { state: 'masked', content, from };
  if (!isInstallable) return { state: 'static', content, from };
  return { state: isWanted ? 'enabled' : 'disabled', content, from };
}

/** `getty@.service` for `getty@tty1.service`; the name itself where it is no instance. */
function templateOf(name: string): string {
  return name.replace(/@.*(?=\.[a-z]+$)/, '@');
}

function byFirst(left: readonly [string, string], right: readonly [string, string]): number {
  return left[0] < right[0] ? -1 : 1;
}
