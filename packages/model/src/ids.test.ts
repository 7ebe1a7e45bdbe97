import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pairIdOf, parseBootId, parseCommandId, parseHostId, parseIncidentId } from './ids.ts';

test('a host id is one token of a NATS subject', () => {
  for (const good of ['a', 'web-1', '0', 'x'.repeat(63)]) assert.equal(parseHostId(good), good);
  for (const bad of ['', 'Web', '-a', 'a.b', 'a_b', 'a b', '*', '>', 'a\n', 'x'.repeat(64), 7])
    assert.equal(parseHostId(bad), undefined, String(bad));
});

test('a boot id has 16 lower-case hexadecimal digits', () => {
  assert.equal(parseBootId('0123456789abcdef'), '0123456789abcdef');
  for (const bad of ['0123456789ABCDEF', '0123456789abcde', '0123456789abcdef0', undefined])
    assert.equal(parseBootId(bad), undefined);
});

test('records are named by a prefix and digits', () => {
  assert.equal(parseCommandId('cmd-0123456789ab'), 'cmd-0123456789ab');
  assert.equal(parseIncidentId('inc-0123456789abcdef01234567'), 'inc-0123456789abcdef01234567');
  for (const bad of ['cmd-', 'cmd-xyz', '0123456789ab', '../cmd-0123456789ab', null])
    assert.equal(parseCommandId(bad), undefined);
});

test('the name of a pair tells its two hosts apart', () => {
  const host = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/).map((text) => {
    const parsed = parseHostId(text);
    assert(parsed !== undefined);
    return parsed;
  });
  fc.assert(
    fc.property(host, host, (production, shadow) => {
      assert.deepEqual(pairIdOf(production, shadow).split('_'), [production, shadow]);
    }),
  );
});
