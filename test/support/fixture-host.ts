// In: the name of a captured machine in test/fixtures/hosts. Out: a host that answers as that
// machine.
// Never: asks this machine: what was not captured is absent.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openHost } from '@foreshadow/agent/host/index.ts';
import type { FilesystemFacts, Host } from '@foreshadow/model';

const HOSTS_FOLDER = join(import.meta.dirname, '..', 'fixtures', 'hosts');

/** Folder of a captured machine: `proc`, `sys`, `service.pid` and `filesystems.json`. */
export function fixtureFolder(name: string): string {
  return join(HOSTS_FOLDER, name);
}

/** The real host over a captured `/proc` and `/sys`; `statfs` answers what was captured. */
export function openFixtureHost(name: string): Host & Disposable {
  const folder = fixtureFolder(name);
  const host = openHost({ roots: { proc: join(folder, 'proc'), sys: join(folder, 'sys') } });
  const filesystems = new Map<string, FilesystemFacts>(
    Object.entries(
      JSON.parse(readFileSync(join(folder, 'filesystems.json'), 'utf8')) as Record<
        string,
        FilesystemFacts // The file is ours and stands beside the capture.
      >,
    ),
  );
  return {
    readBytes: (path) => host.readBytes(path),
    readOnce: (path) => host.readOnce(path),
    list: (path) => host.list(path),
    statFilesystem: async (path) => filesystems.get(path),
    inventory: () => host.inventory(),
    [Symbol.dispose]: () => host[Symbol.dispose](),
  };
}
