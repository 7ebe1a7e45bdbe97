// In: unknown text. Out: identifiers that cannot be confused with each other.
// Never: looks anything up; whether a host exists is the controller's business.

declare const kind: unique symbol;

/**
 * A machine, or one measured part of it, that runs an agent. Lower-case, digits and hyphens: it is
 * one NATS subject token.
 */
export type HostId = string & { readonly [kind]: 'host' };
/** One production host and one shadow host compared: `<production>_<shadow>`. */
export type PairId = string & { readonly [kind]: 'pair' };
/** One run of an agent: new at each start of it, so sequence numbers never repeat within it. */
export type BootId = string & { readonly [kind]: 'boot' };
export type IncidentId = string & { readonly [kind]: 'incident' };
export type CommandId = string & { readonly [kind]: 'command' };

export const HOST_ID_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$';
export const PAIR_ID_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}_[a-z0-9][a-z0-9-]{0,62}$';
export const BOOT_ID_PATTERN = '^[0-9a-f]{16}$';
export const RECORD_ID_PATTERN = '^[a-z]{2,4}-[0-9a-f]{12,32}$';

const hostId = new RegExp(HOST_ID_PATTERN);
const pairId = new RegExp(PAIR_ID_PATTERN);
const bootId = new RegExp(BOOT_ID_PATTERN);
const recordId = new RegExp(RECORD_ID_PATTERN);

/** @returns the identifier, or undefined when `value` is not one. */
export function parseHostId(value: unknown): HostId | undefined {
  return typeof value === 'string' && hostId.test(value) ? (value as HostId) : undefined;
}

/** @returns the identifier (`<production>_<shadow>`), or undefined when `value` is not one. */
export function parsePairId(value: unknown): PairId | undefined {
  return typeof value === 'string' && pairId.test(value) ? (value as PairId) : undefined;
}

/** @returns the identifier, or undefined when `value` is not 16 lower-case hexadecimal digits. */
export function parseBootId(value: unknown): BootId | undefined {
  return typeof value === 'string' && bootId.test(value) ? (value as BootId) : undefined;
}

/** @returns the identifier (`cmd-…`), or undefined when `value` is not one. */
export function parseCommandId(value: unknown): CommandId | undefined {
  return typeof value === 'string' && recordId.test(value) ? (value as CommandId) : undefined;
}

/** @returns the identifier (`inc-…`), or undefined when `value` is not one. */
export function parseIncidentId(value: unknown): IncidentId | undefined {
  return typeof value === 'string' && recordId.test(value) ? (value as IncidentId) : undefined;
}

/**
 * Names a pair after its two hosts; an underscore cannot occur in a host id, so the name is
 * unambiguous.
 */
export function pairIdOf(production: HostId, shadow: HostId): PairId {
  return `${production}_${shadow}` as PairId;
}
