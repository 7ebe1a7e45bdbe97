import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isLoopback, requireLoopback } from './loopback.ts';

test('only literal loopback addresses and localhost stay on this machine', () => {
  for (const host of ['127.0.0.1', '127.255.0.9', '::1', '[::1]', 'localhost'])
    assert.equal(isLoopback(host), true, host);
  for (const host of [
    '',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '127.1',
    '127.0.0.1.example.org',
    'localhost.example.org',
    '::ffff:10.0.0.1',
    '127.0.0.1:80',
  ])
    assert.equal(isLoopback(host), false, host);
});

test('another address is refused with what was asked for', () => {
  requireLoopback('api.host', '127.0.0.1');
  assert.throws(() => requireLoopback('api.host', '0.0.0.0'), {
    code: 'NOT_LOOPBACK',
    message: /^api\.host: 0\.0\.0\.0 /,
  });
});
