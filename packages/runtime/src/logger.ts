// In: facts about the program itself. Out: one line each on stderr: JSON, or text on a terminal.
// Never: contains content of a configuration file or a secret; callers pass names, codes and
// numbers.

import type { Clock } from './clock.ts';

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

// Priorities of systemd-journald (man sd-daemon): a line that begins with <N> is stored with it.
const priorities: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

export interface LoggerOptions {
  readonly program: string;
  readonly level: LogLevel;
  /**
   * `text` for a person, `json` for a collector, `journal` for JSON with a journald priority before
   * it.
   */
  readonly format: 'text' | 'json' | 'journal';
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

export function createLogger(options: LoggerOptions): Logger {
  const least = logLevels.indexOf(options.level);
  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (logLevels.indexOf(level) < least) return;
    options.write(
      options.format === 'text'
        ? textLine(options, level, message, fields)
        : jsonLine(options, level, message, fields),
    );
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
  };
}

function textLine(
  options: LoggerOptions,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const time = new Date(options.clock.nowMs()).toISOString().slice(11, 23);
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${String(value)}`);
  const line = `${time} ${level.padEnd(5)} ${options.program}: ${message}${pairs.join('')}`;
  // A file name with a line break must not forge a line.
  return `${line.replaceAll(/\p{Cc}/gu, ' ')}\n`;
}

function jsonLine(
  options: LoggerOptions,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const record = {
    time: new Date(options.clock.nowMs()).toISOString(),
    level,
    program: options.program,
    message,
    ...fields,
  };
  const line = `${JSON.stringify(record)}\n`;
  return options.format === 'journal' ? `<${priorities[level]}>${line}` : line;
}
