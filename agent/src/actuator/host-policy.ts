// In: the text of the host's policy file. Out: what may ever happen on this host, or why the file
// is refused.
// Never: guesses, or takes an empty list for everything; the controller cannot change this file.

import type { ItemKey } from '@foreshadow/model';
import { isRecord } from './request.ts';
import { refuse, type Refusal } from './refusal.ts';

export const POLICY_BYTES_MAX = 256 * 1024;
export const RESTORE_PATHS_MAX = 100;
export const RESTORE_BYTES_MAX = 16 * 1024 * 1024;
export const RESTORE_BYTES_DEFAULT = 1024 * 1024;
const PATH_BYTES_MAX = 4_095; // PATH_MAX of Linux, without the NUL.
const NAME_BYTES_MAX = 255;
const ITEM_PREFIX = 'file:';

/** A file or folder that may be restored, and what fingerprints call it. */
export interface RestorePath {
  readonly path: string;
  readonly as: string;
}

export interface HostPolicy {
  readonly role: 'production' | 'shadow';
  /** Unix socket on which the actuator answers; its folder has mode 0700. */
  readonly socket: string;
  /** Folder of ledger and version store. */
  readonly state: string;
  /** File with the fleet's fingerprint key, hexadecimal. */
  readonly fingerprintKeyFile: string;
  readonly restore: {
    /** False unless written, on production; true unless written, on a shadow. */
    readonly enabled: boolean;
    /** Empty: nothing is allowed. */
    readonly paths: readonly RestorePath[];
    readonly bytesMax: number;
  };
}

/**
 * Reads a policy strictly.
 *
 * @param options.path where the text came from: shown in refusals, and never restorable itself
 */
export function parseHostPolicy(
  text: string,
  options: { readonly path: string },
): HostPolicy | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return invalid(options.path, `is no JSON: ${error.message}`);
  }
  const policy = checkPolicy(value);
  if (typeof policy === 'string') return invalid(options.path, policy);
  const own = [options.path, policy.socket, policy.state, policy.fingerprintKeyFile];
  for (const { path } of policy.restore.paths) {
    const touched = own.find((held) => contains(path, held) || contains(held, path));
    if (touched !== undefined)
      return invalid(options.path, `restore.paths ${path} reaches the actuator's own ${touched}`);
  }
  return policy;
}

/** @returns the policy, or what is wrong with it */
function checkPolicy(value: unknown): HostPolicy | string {
  const names = ['role', 'socket', 'state', 'fingerprintKeyFile', 'restore'];
  if (!isRecord(value)) return 'is no object';
  const unknown = unknownKey(value, names);
  if (unknown !== undefined) return unknown;
  const { role, socket, state, fingerprintKeyFile } = value;
  if (role !== 'production' && role !== 'shadow') return 'role is neither production nor shadow';
  if (!isPlainPath(socket)) return 'socket is no plain absolute path';
  if (!isPlainPath(state)) return 'state is no plain absolute path';
  if (!isPlainPath(fingerprintKeyFile)) return 'fingerprintKeyFile is no plain absolute path';
  const restore = checkRestore(value['restore'] ?? {}, role);
  if (typeof restore === 'string') return restore;
  return { role, socket, state, fingerprintKeyFile, restore };
}

function checkRestore(value: unknown, role: HostPolicy['role']): HostPolicy['restore'] | string {
  if (!isRecord(value)) return 'restore is no object';
  const unknown = unknownKey(value, ['enabled', 'paths', 'bytesMax']);
  if (unknown !== undefined) return `restore: ${unknown}`;
  const { enabled = role === 'shadow', paths = [], bytesMax = RESTORE_BYTES_DEFAULT } = value;
  if (typeof enabled !== 'boolean') return 'restore.enabled is neither true nor false';
  if (!Number.isInteger(bytesMax) || Number(bytesMax) < 1 || Number(bytesMax) > RESTORE_BYTES_MAX)
    return `restore.bytesMax is not 1 to ${RESTORE_BYTES_MAX}`;
  if (!Array.isArray(paths) || paths.length > RESTORE_PATHS_MAX)
    return `restore.paths is no list of at most ${RESTORE_PATHS_MAX}`;
  const checked: RestorePath[] = [];
  for (const given of paths as readonly unknown[]) {
    const entry = checkRestorePath(given);
    if (typeof entry === 'string') return entry;
    const other = checked.find(
      (held) => overlap(held.path, entry.path) || overlap(held.as, entry.as),
    );
    if (other !== undefined) return `restore.paths ${entry.path} and ${other.path} overlap`;
    checked.push(entry);
  }
  return { enabled, paths: checked, bytesMax: Number(bytesMax) };
}

function checkRestorePath(value: unknown): RestorePath | string {
  if (!isRecord(value)) return 'restore.paths has an entry that is no object';
  const unknown = unknownKey(value, ['path', 'as']);
  if (unknown !== undefined) return `restore.paths: ${unknown}`;
  const { path, as = path } = value;
  if (!isPlainPath(path)) return `restore.paths: ${JSON.stringify(path)} is no plain absolute path`;
  if (!isPlainPath(as)) return `restore.paths: ${JSON.stringify(as)} is no plain absolute path`;
  return { path, as };
}

function unknownKey(value: object, names: readonly string[]): string | undefined {
  const key = Object.keys(value).find((held) => !names.includes(held));
  return key === undefined
    ? undefined
    : `has the unknown key ${JSON.stringify(key)}; known are ${names.join(', ')}`;
}

/** Absolute, at least one name, no empty name, dot name, control character or broken text. */
export function isPlainPath(path: unknown): path is string {
  if (typeof path !== 'string' || !path.startsWith('/') || !path.isWellFormed()) return false;
  if (Buffer.byteLength(path) > PATH_BYTES_MAX || /\p{Cc}/u.test(path)) return false;
  return path.slice(1).split('/').every(isPlainName);
}

export function isPlainName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || /\p{Cc}|\//u.test(name)) return false;
  return Buffer.byteLength(name) <= NAME_BYTES_MAX;
}

/** @returns the real path that the policy allows for `item`, or why it does not */
export function resolveItem(policy: HostPolicy, item: ItemKey): string | Refusal {
  const logical = item.slice(ITEM_PREFIX.length);
  if (!item.startsWith(ITEM_PREFIX) || !isPlainPath(logical))
    return refuse('PATH_REFUSED', `${JSON.stringify(item)} is not file: and a plain absolute path`);
  const entry = policy.restore.paths.find(({ as }) => contains(as, logical));
  const path = entry === undefined ? undefined : entry.path + logical.slice(entry.as.length);
  if (isPlainPath(path)) return path;
  return refuse(
    'PATH_NOT_ALLOWED',
    `the host's policy does not name ${logical}; add it to restore.paths to allow it`,
  );
}

/** The logical item of a real path that lies under `entry`. */
export function itemOf(entry: RestorePath, path: string): ItemKey {
  return ITEM_PREFIX + entry.as + path.slice(entry.path.length);
}

/**
 * @returns whether `path` is `outer` or lies in it, by whole names: `/etc/app` does not hold
 * `/etc/app-evil`
 */
function contains(outer: string, path: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

function overlap(left: string, right: string): boolean {
  return contains(left, right) || contains(right, left);
}

function invalid(path: string, problem: string): Refusal {
  return refuse(
    'POLICY_INVALID',
    `${path} ${problem}; the actuator does not start without a policy`,
  );
}

/** @returns the key's bytes, or why the text of the key file is refused */
export function parseKey(text: string, path: string): Uint8Array | Refusal {
  const digits = text.trim();
  return /^([0-9a-fA-F]{2}){16,64}$/.test(digits)
    ? Buffer.from(digits, 'hex')
    : refuse('KEY_INVALID', `${path} does not hold 32 to 128 hexadecimal digits`);
}
