// Proves that columns line up on a terminal and that data cannot steer it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cut, displayWidth, drawTable, printable } from './table.ts';

const style = (text: string): string => text;

test('width counts what a terminal shows', () => {
  const f = (text: string, width: number): void => assert.equal(displayWidth(text), width, text);
  f('', 0);
  f('abc', 3);
  f('größe', 5);
  f('e\u0301', 1);
  f('東京', 4);
  f('한국', 4);
  f('🚀', 2);
});

test('an escape sequence in data is shown, not obeyed', () => {
  assert.equal(printable('a\u001B[2Jb\u009Bc\nd\u202Ee'), 'a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFDe');
});

test('every line of a table begins its columns at one place', () => {
  const words = fc.stringMatching(/^[a-z東é🚀]{1,8}$/u);
  fc.assert(
    fc.property(fc.array(fc.tuple(words, words), { minLength: 1, maxLength: 8 }), (pairs) => {
      const rows = pairs.map(([first, second]) => [{ text: first }, { text: `|${second}` }]);
      const lines = drawTable([{ title: 'A' }, { title: '|B' }], rows, { style }).split('\n');
      const starts = lines.slice(0, -1).map((line) => displayWidth(line.split('|')[0] ?? ''));
      assert.equal(new Set(starts).size, 1);
    }),
  );
});

test('a cut text is never wider than it may be', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, max) => {
      assert.ok(displayWidth(cut(text, max)) <= max);
    }),
  );
});

test('the last column is cut on a narrow terminal and nowhere else', () => {
  const rows = [[{ text: 'x' }, { text: 'y'.repeat(60) }]];
  const columns = [{ title: 'A' }, { title: 'B' }];
  assert.match(drawTable(columns, rows, { style, widthMax: 40 }), /^x {2}y{36}…$/m);
  assert.match(drawTable(columns, rows, { style }), /^x {2}y{60}$/m);
});

test('numbers stand at the right and titles of nothing are not drawn', () => {
  const rows = [[{ text: '1' }], [{ text: '22' }]];
  assert.equal(drawTable([{ title: '', align: 'right' }], rows, { style }), ' 1\n22\n');
});
