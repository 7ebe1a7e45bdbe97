// In: a code and a sentence. Out: the answers of the actuator that are no success, and its one
// fatal error.
// Never: imports another workspace at run time; the actuator runs as root and carries nothing it
// does not need.

import type { Outcome } from '@foreshadow/model';

/** Not started, by rule. Codes are listed in docs/reference/errors.md. */
export type Refusal = Extract<Outcome, { kind: 'refused' }>;
export type Failure = Extract<Outcome, { kind: 'failed' }>;

/** @param sentence what was asked, why it is not done, what to try */
export function refuse(code: string, sentence: string): Refusal {
  return { kind: 'refused', code, sentence };
}

/** @param sentence what went wrong, and in which state the host is now */
export function fail(code: string, sentence: string): Failure {
  return { kind: 'failed', code, sentence };
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'refused';
}

/**
 * The state on disk cannot be trusted or recorded any more. The process ends at once and cleans
 * nothing up:
 * the next start resolves from the ledger what was under way.
 */
export class FatalError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FatalError';
    this.code = code;
  }
}

/** @returns the code of an error of the system, such as `ENOSPC`; `UNEXPECTED` for anything else */
export function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return error.code;
  return 'UNEXPECTED';
}

/** @returns the value, or undefined when the system says that the path does not exist */
export function unlessMissing<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes a switch exhaustive at compile time, and loud at run time. */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`);
}
