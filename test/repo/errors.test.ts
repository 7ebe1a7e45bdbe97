import { test } from 'node:test';
import assert from 'node:assert/strict';
import { checkCodes, checkOrder, codesOf } from './rules/errors.ts';
import type { Source } from './rules/source.ts';
import { assertNone, readSource, readSources } from './tree.ts';

const at = (path: string, text: string): Source => ({ path, text });

test('codes are seen wherever they are given', () => {
  const text = [
    "throw new CodedError(\n  'DISK_FULL',\n  'a',\n);",
    "return refused('STALE_ORDER', 'b');",
    "return { kind: 'refused', code: 'NOT_ALLOWED', sentence };",
    "const c = environment['NO_COLOR']; // new CodedError('COMMENT_ONLY')",
    "if (isFull) return 'QUEUE_FULL'; throw new FatalError('STOPPED', 'c'); return a === 'DONE';",
  ].join('\n');
  assert.deepEqual(
    codesOf([at('agent/src/a.ts', text)]).map(({ code }) => code),
    ['DISK_FULL', 'STALE_ORDER', 'NOT_ALLOWED', 'QUEUE_FULL', 'STOPPED'],
  );
});

test('a code is documented and tested, and what is documented exists', () => {
  const source = at('agent/src/a.ts', "\nthrow new CodedError('DISK_FULL', 'a');");
  const check = (document: string, planted: string): readonly string[] =>
    checkCodes([source, at('agent/src/a.test.ts', planted)], at('errors.md', document)).map(
      ({ path, line, message }) => `${path}:${line} ${message}`,
    );
  assert.deepEqual(check('', ''), [
    'agent/src/a.ts:2 DISK_FULL: add a row to errors.md',
    'agent/src/a.ts:2 DISK_FULL: no test names it; test its case',
  ]);
  assert.deepEqual(check('| `DISK_FULL` | a |', "code: 'DISK_FULL'"), []);
  assert.deepEqual(check('| `DISK_FULL` | a |\n| `GONE_CODE` | b |', 'DISK_FULL'), [
    'errors.md:2 GONE_CODE is in no source; move it to «Retired codes»',
  ]);
});

test('the codes of each table are in order', () => {
  const text = '| `B_B` | b |\n| `A_A` | a |\n\n## Other\n\n| `A_B` | c |\n';
  assert.deepEqual(
    checkOrder(at('errors.md', text)).map(({ line, message }) => `${line} ${message}`),
    ['2 A_A belongs before B_B'],
  );
  assertNone(checkOrder(readSource('docs/reference/errors.md')));
});

test('docs/reference/errors.md and the sources agree', () => {
  assertNone(checkCodes(readSources(), readSource('docs/reference/errors.md')));
});
