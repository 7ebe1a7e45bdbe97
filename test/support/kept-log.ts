// In: log lines. Out: the same, kept for a test to read.
// Never: writes them anywhere.

import type { LogFields, Logger } from '@foreshadow/runtime';

export interface KeptLog extends Logger {
  readonly lines: readonly string[];
}

export function createKeptLog(): KeptLog {
  const lines: string[] = [];
  const keep = (message: string, fields: LogFields = {}): void => {
    lines.push([message, ...Object.values(fields).map(String)].join(' '));
  };
  return { lines, debug: keep, info: keep, warn: keep, error: keep };
}
