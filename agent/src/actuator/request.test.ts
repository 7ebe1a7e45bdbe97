import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Outcome } from '@foreshadow/model';
import { parseOutcome, parseRequest, TIME_LIMIT_MS_MAX } from './request.ts';
import { isRefusal } from './refusal.ts';

const digest = 'ab'.repeat(16);
const restore = { kind: 'restore', item: 'file:/a', expectedDigest: digest, targetDigest: digest };
const request = { id: 'cmd-0123456789ab', order: restore, isDryRun: false, timeLimitMs: 1_000 };

test('a request of each kind is understood', () => {
  const undo = { kind: 'undo', command: 'cmd-0123456789ab' };
  for (const order of [restore, { kind: 'mark-known-good' }, undo])
    assert.deepEqual(parseRequest({ ...request, order }), { ...request, order });
});

test('a request with anything wrong in it is refused', () => {
  const f = (value: unknown): void => {
    const parsed = parseRequest(value);
    assert.equal(isRefusal(parsed) && parsed.code, 'REQUEST_INVALID', JSON.stringify(value));
  };
  for (const value of [undefined, null, 1, '', [], {}, [request]]) f(value);
  f({ ...request, extra: 1 });
  f({ ...request, __proto__: { id: 'x' }, constructor: 1 });
  for (const id of [1, '', 'cmd', 'cmd-0123', 'CMD-0123456789ab', 'cmd-0123456789ab/..'])
    f({ ...request, id });
  for (const isDryRun of [0, 'false', null]) f({ ...request, isDryRun });
  for (const timeLimitMs of [0, -1, 1.5, '1000', NaN, Infinity, TIME_LIMIT_MS_MAX + 1])
    f({ ...request, timeLimitMs });
  for (const kind of ['exec', 'constructor', '', 1]) f({ ...request, order: { kind } });
  f({ ...request, order: { ...restore, expectedDigest: digest.toUpperCase() } });
  f({ ...request, order: { ...restore, targetDigest: `${digest}0` } });
  f({ ...request, order: { ...restore, targetDigest: '../../etc/shadow' } });
  f({ ...request, order: { ...restore, content: 'x' } });
  f({ ...request, order: { ...restore, item: 'file:/'.padEnd(5_000, 'a') } });
  f({ ...request, order: { kind: 'undo', command: 'x' } });
  f({ ...request, order: { kind: 'mark-known-good', paths: [] } });
});

test('outcomes come back as they were, and nothing else passes', () => {
  const outcomes: readonly Outcome[] = [
    { kind: 'done', tookMs: 1, sentence: 's', details: { a: 'b' } },
    { kind: 'refused', code: 'C', sentence: 's' },
    { kind: 'failed', code: 'C', sentence: 's' },
  ];
  for (const outcome of outcomes) {
    assert.deepEqual(parseOutcome(outcome), outcome);
    for (const key of Object.keys(outcome))
      assert.equal(parseOutcome({ ...outcome, [key]: 1n }), undefined);
    assert.equal(parseOutcome({ ...outcome, extra: 1 }), undefined);
  }
  assert.equal(parseOutcome({ kind: 'unknown', sentence: 's' }), undefined);
});

test('no value makes the parsers throw', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      parseRequest(value);
      parseOutcome(value);
    }),
  );
});
