import { test } from 'node:test';
import assert from 'node:assert/strict';
import { CodedError, codeOf, describeError, unreachable } from './errors.ts';

test('a code is that of ours, of the system, or UNEXPECTED', () => {
  assert.equal(codeOf(new CodedError('A_CODE', 'a')), 'A_CODE');
  assert.equal(codeOf(Object.assign(new Error('a'), { code: 'ENOENT' })), 'ENOENT');
  assert.equal(codeOf(new Error('a')), 'UNEXPECTED');
  assert.equal(codeOf({ code: 'A_CODE' }), 'UNEXPECTED');
});

test('causes are told on one bounded line', () => {
  const cause = new Error('no\nspace', { cause: { disk: 'sda' } });
  assert.equal(
    describeError(new CodedError('A_CODE', 'could not write', { cause })),
    'could not write: no space: {"disk":"sda"}',
  );
  assert.equal(describeError(new Error('x'.repeat(10_000))).length, 600);
  const circle = new Error('round');
  circle.cause = circle;
  assert.equal(describeError(circle), 'round: round: round: round');
});

test('what cannot be reached is loud', () => {
  assert.throws(() => unreachable('a' as never), TypeError);
});
