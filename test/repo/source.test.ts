import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { codeOf, problemAt, spansOf } from './rules/source.ts';

test('comments vanish and literals keep their quotes', () => {
  assert.equal(codeOf("a = 'b'; // c"), "a = ' ';     ");
  assert.equal(codeOf('a /* b\nc */ d'), 'a     \n     d');
  assert.equal(codeOf('x = "\\"y";'), 'x = "   ";');
});

test('a quote within a comment opens nothing, and a slash within a string neither', () => {
  assert.equal(codeOf("// it's\nf('//');"), "       \nf('  ');");
});

test('the code within a template stays code, nested templates included', () => {
  const text = '`a${b(`c${d}`)}e`';
  assert.equal(codeOf(text).replaceAll(' ', ''), '`{b(`{d}`)}`');
});

test('a division is code and a regular expression is a literal', () => {
  assert.equal(codeOf('a = b / c / d;'), 'a = b / c / d;');
  assert.equal(codeOf("a = /['/[/]]/.test(b);"), 'a = /       /.test(b);');
  assert.equal(spansOf('return /a/g').length, 1);
});

test('blanking keeps length and line breaks, whatever the text', () => {
  const letters = fc.constantFrom(
    'a',
    "'",
    '"',
    '`',
    '/',
    '*',
    '\\',
    '\n',
    '$',
    '{',
    '}',
    '[',
    ' ',
  );
  fc.assert(
    fc.property(fc.string({ unit: letters, maxLength: 80 }), (text) => {
      const code = codeOf(text);
      assert.equal(code.length, text.length);
      assert.deepEqual(
        [...code.matchAll(/\n/g)].map(({ index }) => index),
        [...text.matchAll(/\n/g)].map(({ index }) => index),
      );
    }),
  );
});

test('a problem names its line', () => {
  const source = { path: 'a.ts', text: 'x\ny\nz' };
  assert.deepEqual(
    [0, 1, 2, 4].map((offset) => problemAt(source, offset, '').line),
    [1, 1, 2, 3],
  );
});
