// In: two inventories. Out: proof of what counts as drift and what does not.
// Never: needs a host.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { HostId, PairId, TrackedItem, UnreadableReason } from '@foreshadow/model';
import { itemKey, pairIdOf, parseItemKey } from '@foreshadow/model';
import { DRIFTS_PER_PAIR_MAX, compareInventories, type Comparison } from './compare.ts';
import { createExpectedRules, identityRules } from './expected.ts';

// Literals of the right form.
const pair: PairId = pairIdOf('web-1' as HostId, 'web-1-shadow' as HostId);
const NOW_MS = 1_000_000;

interface Known {
  readonly name: string;
  readonly digest?: string;
  readonly previousDigest?: string;
  readonly unreadable?: UnreadableReason;
  readonly changedMs?: number;
}

test('two hosts with the same items have no drift', () => {
  const result = compare([{ name: '/etc/a', digest: 'x' }], [{ name: '/etc/a', digest: 'x' }]);
  assert.deepEqual(result.drifts, []);
  assert.equal(result.comparedCount, 1);
});

test('an edit on the shadow is drift that the shadow caused', () => {
  const [drift] = compare(
    [{ name: '/etc/a', digest: 'x' }],
    [{ name: '/etc/a', digest: 'y', previousDigest: 'x', changedMs: 900 }],
  ).drifts;
  assert.deepEqual(drift, {
    pair,
    item: 'file:/etc/a',
    subject: 'file',
    name: '/etc/a',
    difference: 'differs',
    changedSide: 'shadow',
    productionDigest: 'x',
    productionFacts: {},
    shadowDigest: 'y',
    shadowFacts: {},
    sinceMs: 900,
  });
});

test('the changed side is absent where the hosts never agreed', () => {
  const f = (production: Partial<Known>, shadow: Partial<Known>, expected?: string): void => {
    const [drift] = compare(
      [{ name: '/etc/a', ...production }],
      [{ name: '/etc/a', ...shadow }],
    ).drifts;
    assert.equal(drift?.changedSide, expected);
  };
  f({ digest: 'x' }, { digest: 'y' });
  f({ digest: 'x' }, { digest: 'z', previousDigest: 'y', changedMs: 900 });
  f({ digest: 'y', previousDigest: 'x', changedMs: 900 }, { digest: 'x' }, 'production');
  // The shadow came to x only after production had left it.
  f(
    { digest: 'y', previousDigest: 'x', changedMs: 800 },
    { digest: 'x', previousDigest: 'z', changedMs: 900 },
  );
  // Production followed the shadow to y; then the shadow went to where production had been.
  f(
    { digest: 'y', previousDigest: 'x', changedMs: 800 },
    { digest: 'x', previousDigest: 'y', changedMs: 900 },
    'shadow',
  );
  f({ previousDigest: 'x', changedMs: 900 }, { digest: 'x' }, 'production');
  f({ digest: 'x' }, { previousDigest: 'x', changedMs: 900 }, 'shadow');
  f({ digest: 'x', changedMs: 900 }, { previousDigest: 'w', changedMs: 800 }, 'production');
});

test('an item that one host lacks is missing there', () => {
  const { drifts } = compare([{ name: '/etc/b', digest: 'x' }], [{ name: '/etc/a', digest: 'x' }]);
  assert.deepEqual(
    drifts.map((drift) => [drift.name, drift.difference, drift.changedSide]),
    [
      ['/etc/a', 'missing-on-production', undefined],
      ['/etc/b', 'missing-on-shadow', undefined],
    ],
  );
});

test('an item that both have lost is no drift', () => {
  const lost: Known = { name: '/etc/a', previousDigest: 'x', changedMs: 900 };
  assert.deepEqual(compare([lost], [lost]).drifts, []);
});

test('an unreadable item is neither drift nor sameness', () => {
  const unreadable: Known = { name: '/etc/a', unreadable: 'permission' };
  const one = compare([unreadable], [{ name: '/etc/a', digest: 'x' }]);
  assert.deepEqual(one.drifts, []);
  assert.deepEqual(one.unreadable, [{ item: 'file:/etc/a', production: 'permission' }]);
  const both = compare([unreadable], [unreadable]);
  assert.equal(both.unreadable.length, 1);
  assert.equal(both.comparedCount, 0);
});

test('what lies below an unreadable folder or subject is unknown, not missing', () => {
  const readable: Known = { name: '/etc/ssl/private/a.key', digest: 'x' };
  for (const name of ['/etc/ssl/private', '/etc', '*']) {
    const result = compare([readable], [{ name, unreadable: 'permission' }]);
    assert.deepEqual(result.drifts, [], name);
    assert.deepEqual(
      result.unreadable.find(({ item }) => item === 'file:/etc/ssl/private/a.key')?.shadow,
      'permission',
    );
  }
  const sibling = compare([readable], [{ name: '/etc/ssl/priv', unreadable: 'permission' }]);
  assert.equal(sibling.drifts.length, 1);
});

test('an identity item is judged by its rule', () => {
  const f = (name: string, digests: readonly [string, string], holds?: boolean): void => {
    const [left, right] = digests;
    const result = compare([{ name, digest: left }], [{ name, digest: right }]);
    assert.deepEqual(result.drifts, [], name);
    assert.equal(result.expected[0]?.holds, holds, name);
  };
  f('/etc/hostname', ['x', 'y'], true);
  f('/etc/hostname', ['x', 'x']);
  f('/etc/machine-id', ['x', 'y'], true);
  f('/etc/machine-id', ['x', 'x'], false);
  f('/etc/ssh/ssh_host_ed25519_key', ['x', 'x'], false);
  f('/etc/ssh/ssh_host_rsa_key.pub', ['x', 'y'], true);
  f('/etc/netplan/50-cloud.yaml', ['x', 'y'], true);
});

test('rules match whole keys and treat dots as dots', () => {
  const rules = createExpectedRules(identityRules);
  assert.equal(rules.ruleFor('file:/srv/etc/hostname'), undefined);
  assert.equal(rules.ruleFor('file:/etc/resolvXconf'), undefined);
  assert.equal(rules.ruleFor('file:/etc/hostname.d'), undefined);
  assert.equal(createExpectedRules([]).ruleFor('file:/etc/hostname'), undefined);
});

test('beyond the bound drifts are cut and counted', () => {
  const many = Array.from({ length: DRIFTS_PER_PAIR_MAX + 7 }, (_, index) => ({
    name: `/etc/${index}`,
    digest: 'x',
  }));
  const result = compare(many, []);
  assert.equal(result.drifts.length, DRIFTS_PER_PAIR_MAX);
  assert.equal(result.driftsCutCount, 7);
});

test('exchanging the sides exchanges the answer and nothing else', () => {
  const known = fc.record({
    name: fc.constantFrom('/a', '/a/b', '/c', '*', '/etc/hostname'),
    digest: fc.constantFrom(undefined, 'x', 'y'),
    previousDigest: fc.constantFrom(undefined, 'x', 'y'),
    unreadable: fc.constantFrom(undefined, 'permission' as const),
    changedMs: fc.integer({ min: 1, max: 4 }),
  });
  const side = fc.uniqueArray(known, { selector: ({ name }) => name });
  const mirror = { production: 'shadow', shadow: 'production' } as const;
  fc.assert(
    fc.property(side, side, (left, right) => {
      const there = compare(left.map(withoutAbsent), right.map(withoutAbsent));
      const back = compare(right.map(withoutAbsent), left.map(withoutAbsent));
      assert.deepEqual(
        there.drifts.map(({ item, changedSide }) => [item, changedSide && mirror[changedSide]]),
        back.drifts.map(({ item, changedSide }) => [item, changedSide]),
      );
      assert.equal(there.unreadable.length, back.unreadable.length);
      assert.deepEqual(
        there.drifts.map(({ item }) => item),
        there.drifts.map(({ item }) => item).toSorted(),
      );
    }),
  );
});

function compare(production: readonly Known[], shadow: readonly Known[]): Comparison {
  return compareInventories({
    pair,
    production: inventory(production),
    shadow: inventory(shadow),
    expected: createExpectedRules(identityRules),
    nowMs: NOW_MS,
  });
}

function inventory(items: readonly Known[]): Map<string, TrackedItem> {
  return new Map(
    items.map(({ name, digest, ...rest }) => {
      const key = itemKey('file', name);
      const subject = parseItemKey(key)?.subject ?? 'file';
      return [
        key,
        {
          key,
          firstSeenMs: 1,
          changedMs: 1,
          ...rest,
          ...(digest === undefined ? {} : { item: { subject, name, digest, facts: {} } }),
        },
      ];
    }),
  );
}

/** An item is present or unreadable, never both; absent keys are left out. */
function withoutAbsent(known: {
  name: string;
  digest: string | undefined;
  previousDigest: string | undefined;
  unreadable: UnreadableReason | undefined;
  changedMs: number;
}): Known {
  const { name, digest, previousDigest, unreadable, changedMs } = known;
  return {
    name,
    changedMs,
    ...(previousDigest === undefined ? {} : { previousDigest }),
    ...(unreadable === undefined ? (digest === undefined ? {} : { digest }) : { unreadable }),
  };
}
