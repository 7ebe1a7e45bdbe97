// In: an address that a program is told to listen on or dial.
// Out: whether it stays on this machine.
// Never: resolves names; only literal loopback addresses and `localhost` pass.

import { isIP } from 'node:net';
import { CodedError } from './errors.ts';

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

/**
 * Until hosts have identities, nothing listens where another machine could reach it.
 * @throws CodedError NOT_LOOPBACK
 */
export function requireLoopback(what: string, host: string): void {
  if (isLoopback(host)) return;
  throw new CodedError(
    'NOT_LOOPBACK',
    `${what}: ${host} is not a loopback address; without identities every listener stays on 127.0.0.1 or ::1`,
  );
}
