// In: nothing. Out: random identifiers from the system's cryptographic source.
// Never: is predictable, and so is never used where a run must repeat from a seed: there the
// identifier is injected.

import { randomBytes } from 'node:crypto';

/** Makes `<prefix>-<24 hexadecimal digits>`, such as `cmd-3f…`. */
export type NewIdentifier = (prefix: string) => string;

export const newIdentifier: NewIdentifier = (prefix) =>
  `${prefix}-${randomBytes(12).toString('hex')}`;

/** 16 hexadecimal digits, for a run of an agent. */
export function newBootId(): string {
  return randomBytes(8).toString('hex');
}
