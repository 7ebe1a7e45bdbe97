// What went wrong with a request, as RFC 9457 tells it.

import { STATUS_CODES } from 'node:http';
import type { Problem } from '@foreshadow/model';
import { nearest } from '@foreshadow/runtime';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';
/** Known identifiers looked through for the one that was meant. */
export const NEAREST_NAMES_MAX = 1_000;

/**
 * Thrown by handlers and turned into a problem by the one error handler. `message` is shown to the
 * caller.
 */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: Problem['errors'];
  constructor(refusal: {
    readonly status: number;
    readonly code: string;
    readonly detail: string;
    readonly errors?: NonNullable<Problem['errors']>;
    readonly cause?: unknown;
  }) {
    super(refusal.detail, { cause: refusal.cause });
    this.name = 'Refusal';
    this.status = refusal.status;
    this.code = refusal.code;
    this.errors = refusal.errors;
  }
}

/** @param known identifiers among which the one that was meant may be */
export function notFound(what: string, id: string, known: readonly string[]): Refusal {
  const close = nearest(id, known.slice(0, NEAREST_NAMES_MAX));
  const hint = close === undefined ? '' : `; did you mean ${close}?`;
  return new Refusal({
    status: 404,
    code: 'NOT_FOUND',
    detail: `there is no ${what} ${id}${hint}`,
  });
}

interface FrameworkTrouble {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

// Fastify's own codes that a caller can cause. Anything else is our fault and says nothing of
// itself.
const frameworkTroubles: Readonly<Record<string, FrameworkTrouble>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: 'BODY_TOO_LARGE',
    detail: 'the body is larger than 64 KiB; nothing that this API takes is',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'MEDIA_TYPE_UNSUPPORTED',
    detail: 'send the body as application/json',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    status: 400,
    code: 'BODY_INVALID',
    detail: 'the body is not JSON',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    status: 400,
    code: 'BODY_INVALID',
    detail: 'the body is empty; send JSON',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    code: 'BODY_INVALID',
    detail: 'the length of the body is not its content-length',
  },
  FST_ERR_BAD_URL: {
    status: 400,
    code: 'URL_INVALID',
    detail: 'the path is not a valid encoding; encode it as UTF-8 percent signs',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    status: 414,
    code: 'URL_TOO_LONG',
    detail: 'an identifier in the path is too long to be one',
  },
};

export function problemOf(
  error: unknown,
  request: { readonly id: string; readonly path: string },
): Problem {
  const known = error instanceof Refusal ? undefined : frameworkTroubles[codeIn(error)];
  const { status, code, detail } =
    error instanceof Refusal
      ? { status: error.status, code: error.code, detail: error.message }
      : (known ?? {
          status: 500,
          code: 'INTERNAL',
          detail: `the controller could not answer; its log says why, under request ${request.id}`,
        });
  return {
    type: `urn:foreshadow:error:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    instance: request.path,
    code,
    ...(error instanceof Refusal && error.errors !== undefined && { errors: error.errors }),
    requestId: request.id,
  };
}

function codeIn(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
