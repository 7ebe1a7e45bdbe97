import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { Clock } from './clock.ts';
import { createLogger, type LogFields, type LoggerOptions } from './logger.ts';

const clock: Clock = {
  nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  monotonicMs: () => 0,
  sleep: async () => {},
  after: () => ({ cancel: () => {} }),
};

function lineOf(
  options: Pick<LoggerOptions, 'format' | 'level'>,
  message: string,
  fields?: LogFields,
): string {
  const lines: string[] = [];
  const logger = createLogger({
    ...options,
    program: 'agent',
    clock,
    write: (line) => lines.push(line),
  });
  logger.info(message, fields);
  return lines.join('');
}

test('a person reads one line with the time of day', () => {
  assert.equal(
    lineOf({ format: 'text', level: 'info' }, 'started', { pid: 7, port: undefined }),
    '03:04:05.006 info  agent: started pid=7\n',
  );
});

test('a program reads one JSON object, under journald with its priority', () => {
  const json =
    '{"time":"2026-01-02T03:04:05.006Z","level":"info","program":"agent","message":"a"}\n';
  assert.equal(lineOf({ format: 'json', level: 'info' }, 'a'), json);
  assert.equal(lineOf({ format: 'journal', level: 'debug' }, 'a'), `<6>${json}`);
});

test('what is below the level is not written', () => {
  assert.equal(lineOf({ format: 'text', level: 'warn' }, 'a'), '');
});

test('a value with a line break forges no line', () => {
  for (const format of ['text', 'json', 'journal'] as const) {
    const line = lineOf({ format, level: 'info' }, 'read\nerror', { file: 'a\r\nb\u001b[2J' });
    assert.equal(line.indexOf('\n'), line.length - 1, format);
    assert(!line.includes('\u001b'), format);
  }
});
