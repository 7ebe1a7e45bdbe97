// In: an unknown value from the socket. Out: a trusted request or outcome.
// Never: lets an unknown key or kind through; what is not understood is not done.

import type { CommandId, Order, Outcome } from '@foreshadow/model';
import { refuse, type Refusal } from './refusal.ts';

export const TIME_LIMIT_MS_MAX = 600_000;
export const ITEM_LENGTH_MAX = 4_200;

/** What the agent asks of the actuator: a command without what only people need. */
export interface ActuatorRequest {
  readonly id: CommandId;
  readonly order: Order;
  readonly isDryRun: boolean;
  /** From receipt, ms, 1 to TIME_LIMIT_MS_MAX. */
  readonly timeLimitMs: number;
}

export function parseRequest(value: unknown): ActuatorRequest | Refusal {
  const request = fieldsOf(value, ['id', 'order', 'isDryRun', 'timeLimitMs']);
  if (request === undefined) return invalid('a request has id, order, isDryRun and timeLimitMs');
  const id = commandId(request['id']);
  if (id === undefined) return invalid('id is no command id, such as cmd-0123456789ab');
  const order = parseOrder(request['order']);
  if (order === undefined) return invalid('order is none of restore, mark-known-good and undo');
  const { isDryRun, timeLimitMs } = request;
  if (typeof isDryRun !== 'boolean') return invalid('isDryRun is neither true nor false');
  if (!isTimeLimit(timeLimitMs)) return invalid(`timeLimitMs is not 1 to ${TIME_LIMIT_MS_MAX}`);
  return { id, order, isDryRun, timeLimitMs };
}

function parseOrder(value: unknown): Order | undefined {
  const restore = fieldsOf(value, ['kind', 'item', 'expectedDigest', 'targetDigest']);
  if (restore?.['kind'] === 'restore') {
    const { item, expectedDigest, targetDigest } = restore;
    if (typeof item !== 'string' || item.length > ITEM_LENGTH_MAX) return undefined;
    if (!isDigest(expectedDigest) || !isDigest(targetDigest)) return undefined;
    return { kind: 'restore', item, expectedDigest, targetDigest };
  }
  if (fieldsOf(value, ['kind'])?.['kind'] === 'mark-known-good') return { kind: 'mark-known-good' };
  const undo = fieldsOf(value, ['kind', 'command']);
  const command = commandId(undo?.['command']);
  return undo?.['kind'] === 'undo' && command !== undefined ? { kind: 'undo', command } : undefined;
}

/** @returns undefined when `value` is no outcome */
export function parseOutcome(value: unknown): Outcome | undefined {
  const done = fieldsOf(value, ['kind', 'tookMs', 'sentence', 'details']);
  if (done?.['kind'] === 'done') {
    const { tookMs, sentence, details } = done;
    return typeof tookMs === 'number' && typeof sentence === 'string' && isTextRecord(details)
      ? { kind: 'done', tookMs, sentence, details }
      : undefined;
  }
  const ended = fieldsOf(value, ['kind', 'code', 'sentence']);
  if (ended === undefined) return undefined;
  const { kind, code, sentence } = ended;
  if (kind !== 'refused' && kind !== 'failed') return undefined;
  return typeof code === 'string' && typeof sentence === 'string'
    ? { kind, code, sentence }
    : undefined;
}

/** 32 hexadecimal digits: the keyed digest of a file's content. */
export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}

/** @returns the record when it has exactly the keys `names` */
export function fieldsOf(
  value: unknown,
  names: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(value)) return undefined;
  const keys = Object.keys(value);
  return keys.length === names.length && names.every((name) => Object.hasOwn(value, name))
    ? value
    : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((held) => typeof held === 'string');
}

function isTimeLimit(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= TIME_LIMIT_MS_MAX;
}

function commandId(value: unknown): CommandId | undefined {
  // The brand's own parser stands in model, which the actuator does not load; the pattern is the
  // same.
  return typeof value === 'string' && /^[a-z]{2,4}-[0-9a-f]{12,32}$/.test(value)
    ? (value as CommandId)
    : undefined;
}

function invalid(reason: string): Refusal {
  return refuse('REQUEST_INVALID', `the actuator does not understand the request: ${reason}`);
}
