// What the shell is told. Documented in `foreshadow --help`; scripts rely on it.

import { CommanderError } from 'commander';
import { problemOf } from '@foreshadow/client';
import type { Outcome } from '@foreshadow/model';
import { codeOf, unreachable } from '@foreshadow/runtime';

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  conflict: 5,
  timeout: 6,
  partial: 7,
  driftFound: 10,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byStatus: Readonly<Record<number, ExitCode>> = {
  400: exitCodes.usage,
  401: exitCodes.denied,
  403: exitCodes.denied,
  404: exitCodes.notFound,
  408: exitCodes.timeout,
  409: exitCodes.conflict,
  412: exitCodes.conflict,
  422: exitCodes.conflict,
  428: exitCodes.conflict,
  504: exitCodes.timeout,
};

const byCode: Readonly<Record<string, ExitCode>> = {
  ARGUMENT_INVALID: exitCodes.usage,
  CONFIRMATION_REQUIRED: exitCodes.usage,
  REASON_REQUIRED: exitCodes.usage,
  URL_INVALID: exitCodes.usage,
  DRIFT_NOT_FOUND: exitCodes.notFound,
  RESTORE_NOT_POSSIBLE: exitCodes.conflict,
  SIDE_REQUIRED: exitCodes.conflict,
  COMMAND_NOT_ENDED: exitCodes.timeout,
  REQUEST_TIMEOUT: exitCodes.timeout,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const problem = problemOf(error);
  const known = problem === undefined ? byCode[codeOf(error)] : byStatus[problem.status];
  return known ?? exitCodes.failure;
}

export function exitCodeOfOutcome(outcome: Outcome): ExitCode {
  switch (outcome.kind) {
    case 'done':
      return exitCodes.ok;
    case 'refused':
      return exitCodes.conflict;
    case 'failed':
      return exitCodes.failure;
    case 'unknown':
      return exitCodes.timeout;
    default:
      return unreachable(outcome);
  }
}
