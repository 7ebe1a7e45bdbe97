// In: a stable code, a sentence and a cause. Out: the one error class for operational trouble.
// Never: is used for a programmer's mistake (assert, TypeError) or an expected outcome (a union
// value).

/**
 * Operational error. `code` is upper-case, listed in docs/reference/errors.md, and never reused;
 * decide on it, not on the message. The message says what was being done, with what, and what to
 * try.
 */
export class CodedError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CodedError';
    this.code = code;
  }
}

/**
 * @returns the code of a CodedError or of a system error (`ENOENT`), `UNEXPECTED` for anything
 * else.
 */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return error.code;
  return 'UNEXPECTED';
}

/** @returns the message of an error with those of its causes, on one line, bounded. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && current !== undefined; depth += 1) {
    parts.push(
      current instanceof Error ? current.message : (JSON.stringify(current) ?? typeof current),
    );
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ').replaceAll('\n', ' ').slice(0, DESCRIPTION_LENGTH_MAX);
}

const CAUSES_MAX = 4;
const DESCRIPTION_LENGTH_MAX = 600;

/** Makes a switch exhaustive at compile time, and loud at run time. */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`);
}
