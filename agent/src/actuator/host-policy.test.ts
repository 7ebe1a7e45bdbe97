import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { itemOf, isPlainPath, parseHostPolicy, parseKey, resolveItem } from './host-policy.ts';
import { isRefusal } from './refusal.ts';

const path = '/etc/foreshadow/policy.json';
const whole = {
  role: 'production',
  socket: '/run/foreshadow/actuator.sock',
  state: '/var/lib/foreshadow/actuator',
  fingerprintKeyFile: '/etc/foreshadow/fingerprint.key',
  restore: { enabled: true, paths: [{ path: '/srv/shop', as: '/etc/shop' }], bytesMax: 1000 },
};

test('a whole policy is taken as it is written', () => {
  assert.deepEqual(parseHostPolicy(JSON.stringify(whole), { path }), whole);
});

test('what is not written is safe: nothing on production, and no path anywhere', () => {
  const f = (role: string, enabled: boolean): void => {
    const policy = parseHostPolicy(JSON.stringify({ ...whole, role, restore: {} }), { path });
    assert.deepEqual('restore' in policy && policy.restore, {
      enabled,
      paths: [],
      bytesMax: 1024 * 1024,
    });
  };
  f('production', false);
  f('shadow', true);
});

test('a policy with anything wrong in it is refused, and the sentence names it', () => {
  const f = (value: unknown, named: RegExp): void => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const policy = parseHostPolicy(text, { path });
    assert.equal(isRefusal(policy) && policy.code, 'POLICY_INVALID', text);
    assert.match(isRefusal(policy) ? policy.sentence : '', named);
  };
  const restoring = (restore: object): object => ({ ...whole, restore });
  f('', /is no JSON/);
  f('[]', /is no object/);
  f({ ...whole, rol: 1 }, /unknown key "rol"; known are role/);
  f({ ...whole, role: 'staging' }, /role/);
  f({ ...whole, socket: 'run/a.sock' }, /socket/);
  f({ ...whole, state: '/var/../etc' }, /state/);
  f({ ...whole, fingerprintKeyFile: 1 }, /fingerprintKeyFile/);
  f(restoring([]), /restore is no object/);
  f(restoring({ enable: true }), /restore: has the unknown key "enable"; known are enabled/);
  f(restoring({ enabled: 'true' }), /enabled/);
  f(restoring({ bytesMax: 0 }), /bytesMax/);
  f(restoring({ bytesMax: 1e12 }), /bytesMax/);
  f(restoring({ paths: {} }), /no list/);
  f(restoring({ paths: Array.from({ length: 101 }, () => ({})) }), /no list of at most/);
  f(restoring({ paths: ['/etc'] }), /no object/);
  f(restoring({ paths: [{ path: '/a', to: '/b' }] }), /unknown key "to"/);
  f(restoring({ paths: [{ path: '/' }] }), /no plain absolute path/);
  f(restoring({ paths: [{ path: '/a/' }] }), /no plain absolute path/);
  f(restoring({ paths: [{ path: '/a', as: 'b' }] }), /no plain absolute path/);
  f(restoring({ paths: [{ path: '/a' }, { path: '/a/b' }] }), /overlap/);
  f(restoring({ paths: [{ path: '/a' }, { path: '/b', as: '/a' }] }), /overlap/);
  f(restoring({ paths: [{ path: '/etc' }] }), /reaches the actuator's own/);
  f(restoring({ paths: [{ path: '/var/lib/foreshadow/actuator/versions' }] }), /own/);
  f(restoring({ paths: [{ path: '/run', as: '/x' }] }), /own/);
});

test('an allowed path resolves to its real one, and never outside', () => {
  const policy = parseHostPolicy(JSON.stringify(whole), { path });
  assert(!isRefusal(policy));
  assert.equal(resolveItem(policy, 'file:/etc/shop/a'), '/srv/shop/a');
  assert.equal(resolveItem(policy, 'file:/etc/shop'), '/srv/shop');
  const word = fc.constantFrom(
    '/',
    '..',
    '.',
    'etc',
    'shop',
    '-evil',
    '\0',
    'srv',
    '',
    'é',
    '\ud800',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      const found = resolveItem(policy, `file:/etc/shop${words.join('')}`);
      if (isRefusal(found)) return;
      assert(found === '/srv/shop' || found.startsWith('/srv/shop/'), found);
      assert(isPlainPath(found) && !found.split('/').includes('..'));
      const [entry] = policy.restore.paths;
      assert.equal(entry && itemOf(entry, found), `file:/etc/shop${words.join('')}`);
    }),
  );
});

test('any text is a policy or a refusal', () => {
  fc.assert(fc.property(fc.json(), (text) => void parseHostPolicy(text, { path })));
  fc.assert(fc.property(fc.string(), (text) => void parseHostPolicy(text, { path })));
});

test('a key is hexadecimal and long enough', () => {
  const f = (text: string, isKey: boolean): void =>
    assert.equal(isRefusal(parseKey(text, '/key')), !isKey, text);
  f(`${'ab'.repeat(32)}\n`, true);
  f('ab'.repeat(15), false);
  f('', false);
  f('x'.repeat(64), false);
  f('a'.repeat(33), false);
  const short = parseKey('ab', '/key');
  assert.equal(isRefusal(short) && short.code, 'KEY_INVALID');
});
