// In: /etc/passwd and /etc/group. Out: names for numbers, because two hosts may number the same
// account differently.
// Never: asks a directory service; an account that only such a service knows keeps its number.

import { stat } from 'node:fs/promises';
import { codeOf } from '@foreshadow/runtime';
import { readRegular, stampOf } from './reading.ts';

export const ACCOUNTS_BYTES_MAX = 4 * 1024 * 1024;

export interface Accounts {
  /** Reads again what changed. @returns true when names may have changed since the last call */
  refresh(): Promise<boolean>;
  ownerOf(uid: number): string;
  groupOf(gid: number): string;
}

interface Table {
  readonly path: string;
  stamp: string;
  names: ReadonlyMap<number, string>;
}

/** A missing file leaves all numbers as they are. */
export function createAccounts(paths: {
  readonly passwd: string;
  readonly group: string;
}): Accounts {
  const users: Table = { path: paths.passwd, stamp: '', names: new Map() };
  const groups: Table = { path: paths.group, stamp: '', names: new Map() };
  return {
    refresh: async () => {
      const changed = [await refreshTable(users), await refreshTable(groups)];
      return changed.includes(true);
    },
    ownerOf: (uid) => users.names.get(uid) ?? String(uid),
    groupOf: (gid) => groups.names.get(gid) ?? String(gid),
  };
}

async function refreshTable(table: Table): Promise<boolean> {
  try {
    if (stampOf(await stat(table.path)) === table.stamp) return false;
    const { content, stamp } = await readRegular(table.path, {
      bytesMax: ACCOUNTS_BYTES_MAX,
      followsLinks: true,
    });
    table.stamp = stamp;
    table.names = parseAccounts(content.toString('utf8'));
    return true;
  } catch (error) {
    // Between two versions of the file; the names that are known stand.
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * `name:password:number:…` a line; the first name of a number counts. Lines of another form are
 * passed over.
 */
export function parseAccounts(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':', 3);
    if (name === undefined || name === '' || !/^\d+$/.test(number ?? '')) continue;
    if (!names.has(Number(number))) names.set(Number(number), name);
  }
  return names;
}
