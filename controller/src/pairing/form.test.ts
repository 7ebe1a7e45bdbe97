import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseHostId, type HostId, type HostRecord, type HostRole } from '@foreshadow/model';
import { PAIRS_MAX, formPairs } from './form.ts';

function id(name: string): HostId {
  const parsed = parseHostId(name);
  assert.ok(parsed !== undefined);
  return parsed;
}

function host(name: string, role: HostRole, labels: Record<string, string> = {}): HostRecord {
  return {
    id: id(name),
    role,
    labels,
    scope: 'host',
    agentVersion: '0.1.0',
    firstSeenMs: 0,
    lastSeenMs: 0,
    isConnected: true,
    inventory: {},
  };
}

const byGroup = { name: 'by-group', labels: ['role-group'] };
const hosts = [
  host('web-2', 'production', { 'role-group': 'web' }),
  host('web-1', 'production', { 'role-group': 'web' }),
  host('web-shadow', 'shadow', { 'role-group': 'web' }),
  host('db-1', 'production', { 'role-group': 'db' }),
  host('loose', 'shadow'),
];

test('one shadow serves every production host of its group, a pair each', () => {
  const { pairs, problems } = formPairs({ hosts, explicit: [], rules: [byGroup] });
  assert.deepEqual(
    pairs.map((pair) => [pair.id, pair.origin]),
    [
      ['web-1_web-shadow', 'by-group'],
      ['web-2_web-shadow', 'by-group'],
    ],
  );
  assert.deepEqual(problems, []);
});

test('a pair that a person named is explicit, even where a rule makes it too', () => {
  const explicit = [{ production: id('web-1'), shadow: id('web-shadow') }];
  const { pairs } = formPairs({ hosts, explicit, rules: [byGroup] });
  assert.deepEqual(
    pairs.map(({ origin }) => origin),
    ['explicit', 'by-group'],
  );
});

test('a wish that cannot be met is a problem with a sentence, and no pair', () => {
  const f = (production: string, shadow: string, code: string, sentence: RegExp): void => {
    const explicit = [{ production: id(production), shadow: id(shadow) }];
    const { pairs, problems } = formPairs({ hosts, explicit, rules: [] });
    assert.deepEqual(pairs, []);
    assert.equal(problems[0]?.code, code);
    assert.match(problems[0]?.sentence ?? '', sentence);
  };
  f('web-1', 'web-1', 'SELF_PAIR', /compares a host with itself/);
  f('web-1', 'nobody', 'HOST_UNKNOWN', /nobody has not reported yet/);
  f('nobody', 'loose', 'HOST_UNKNOWN', /nobody/);
  f('loose', 'web-shadow', 'WRONG_ROLE', /needs loose as production, but .* is shadow/);
  f('web-1', 'db-1', 'WRONG_ROLE', /needs db-1 as shadow/);
});

test('a host without the label, and a rule without labels, pair with nobody', () => {
  const nameless = { name: 'all', labels: [] };
  const inherited = { name: 'proto', labels: ['toString'] };
  const { pairs } = formPairs({ hosts, explicit: [], rules: [nameless, inherited] });
  assert.deepEqual(pairs, []);
});

test('pairs are bounded, and those left out are counted', () => {
  const many = [
    ...Array.from({ length: 101 }, (_, index) => host(`p-${index}`, 'production', { g: 'a' })),
    ...Array.from({ length: 100 }, (_, index) => host(`s-${index}`, 'shadow', { g: 'a' })),
  ];
  const rules = [{ name: 'all', labels: ['g'] }];
  const { pairs, problems } = formPairs({ hosts: many, explicit: [], rules });
  assert.equal(pairs.length, PAIRS_MAX);
  assert.equal(problems[0]?.code, 'TOO_MANY_PAIRS');
  assert.match(problems[0]?.sentence ?? '', /^100 pairs beyond 10000/);
});

test('the order of hosts does not matter', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(hosts, { minLength: hosts.length }), (shuffled) => {
      assert.deepEqual(
        formPairs({ hosts: shuffled, explicit: [], rules: [byGroup] }),
        formPairs({ hosts, explicit: [], rules: [byGroup] }),
      );
    }),
  );
});
