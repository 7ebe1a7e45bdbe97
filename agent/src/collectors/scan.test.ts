// Facts about the scanner: it agrees with a slow parser on good text, and answers absence on all
// other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  array,
  assert as check,
  integer,
  maxSafeNat,
  nat,
  property,
  tuple,
  uint8Array,
} from 'fast-check';
import {
  bytesOf,
  createScan,
  keyedNumbers,
  nextDecimal,
  nextLine,
  nextName,
  nextNumber,
  nextWord,
  skipWords,
} from './scan.ts';

const numberIn = (text: string): number => nextNumber(createScan(bytesOf(text)));
const decimalIn = (text: string): number => nextDecimal(createScan(bytesOf(text)));

test('whole numbers are read up to 2^53 - 1', () => {
  check(
    property(maxSafeNat(), (value) => {
      assert.equal(numberIn(`${value} `), value);
      assert.equal(numberIn(`  \t${value}\n`), value);
    }),
  );
  assert.equal(numberIn('9007199254740991\n'), Number.MAX_SAFE_INTEGER);
});

test('what is not a whole number is absent', () => {
  const texts = ['', '\n', '-1\n', '+1\n', '1.5\n', '12a\n', 'a12\n', '\0\n', '0x10\n', '９\n'];
  for (const text of texts) assert.equal(numberIn(text), Number.NaN, JSON.stringify(text));
  assert.equal(numberIn('9007199254740992\n'), Number.NaN);
  assert.equal(numberIn(`${'9'.repeat(400)}\n`), Number.NaN);
});

test('a number that nothing follows may be cut, and is absent', () => {
  assert.equal(numberIn('12'), Number.NaN);
});

test('a line with too few numbers does not take those of the next line', () => {
  const scan = createScan(bytesOf('1 2\n3\n'));
  assert.deepEqual(
    [1, 2, 3].map(() => nextNumber(scan)),
    [1, 2, Number.NaN],
  );
  assert.ok(nextLine(scan));
  assert.equal(nextNumber(scan), 3);
  assert.equal(nextLine(scan), false);
});

test('a word that is not a number does not hide the next', () => {
  const scan = createScan(bytesOf('x7 8\n'));
  assert.ok(Number.isNaN(nextNumber(scan)));
  assert.equal(nextNumber(scan), 8);
});

test('decimals are read as they are printed', () => {
  check(
    property(integer({ min: 0, max: 1e9 }), integer({ min: 0, max: 99 }), (whole, hundredths) => {
      const text = `${whole}.${String(hundredths).padStart(2, '0')}`;
      assert.ok(Math.abs(decimalIn(`${text} `) - Number(text)) < 1e-6);
    }),
  );
  assert.equal(decimalIn('7\n'), 7);
});

test('what is not a decimal is absent', () => {
  for (const text of ['.5\n', '5.\n', '5. 7\n', '1.2.3\n', '1.x\n', '1e5\n', '1.0', '1.', 'nan\n'])
    assert.equal(decimalIn(text), Number.NaN, JSON.stringify(text));
  assert.equal(decimalIn(`0.${'1'.repeat(300)}\n`), Number.NaN);
});

test('words and names end where they should', () => {
  const scan = createScan(bytesOf('  eth0:12 loop0 x\n'));
  assert.equal(nextName(scan, 16), 'eth0');
  assert.equal(nextNumber(scan), 12);
  assert.equal(nextWord(scan, 16), 'loop0');
  skipWords(scan, 3);
  assert.equal(nextWord(scan, 16), undefined);
});

test('a name without colon, an empty one and one that is too long are absent', () => {
  for (const text of [' face |bytes\n', ':1\n', `${'x'.repeat(17)}:1\n`, 'eth0'])
    assert.equal(nextName(createScan(bytesOf(text)), 16), undefined, text);
  assert.equal(nextWord(createScan(bytesOf('x'.repeat(17))), 16), undefined);
});

test('keyed numbers are found whatever the order, and only at the start of a line', () => {
  const text = 'SwapCached: 1 kB\nCached: 2 kB\nActive(anon): 3 kB\nMemFree:4 kB\n';
  const keys = ['MemFree:', 'Cached:', 'Active:'].map(bytesOf);
  assert.deepEqual([...keyedNumbers(bytesOf(text), keys)], [4, 2, Number.NaN]);
  assert.deepEqual([...keyedNumbers(bytesOf(''), keys)], [Number.NaN, Number.NaN, Number.NaN]);
});

test('keyed numbers agree with a slow parser', () => {
  const names = ['a:', 'ab:', 'b:'];
  const lines = array(tuple(nat(names.length - 1), maxSafeNat()), { maxLength: 12 });
  check(
    property(lines, (given) => {
      const text = given.map(([key, value]) => `${names[key]} ${value} kB\n`).join('');
      const expected = names.map(
        (_, index) => given.findLast(([key]) => key === index)?.[1] ?? Number.NaN,
      );
      assert.deepEqual([...keyedNumbers(bytesOf(text), names.map(bytesOf))], expected);
    }),
  );
});

test('any bytes are scanned without an error, and to the end', () => {
  check(
    property(uint8Array({ maxLength: 200 }), (bytes) => {
      const scan = createScan(bytes);
      for (let steps = 0; nextLine(scan); steps += 1) assert.ok(steps <= bytes.length);
      for (const read of [nextNumber, nextDecimal]) {
        const value = read(createScan(bytes));
        assert.ok(Number.isNaN(value) || (value >= 0 && Number.isFinite(value)));
      }
      nextName(createScan(bytes), 16);
      keyedNumbers(bytes, [bytesOf('a')]);
    }),
  );
});
