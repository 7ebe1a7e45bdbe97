import { test } from 'node:test';
import assert from 'node:assert/strict';
import { pairIdOf, parseHostId } from '@foreshadow/model';
import { defaultLimits, resolveLimits, type LabelLimits } from './limits.ts';

const production = parseHostId('a');
const shadow = parseHostId('b');
assert.ok(production !== undefined && shadow !== undefined);
const pair = { id: pairIdOf(production, shadow), production, shadow, origin: 'explicit' };
const labelRules: readonly LabelLimits[] = [
  { name: 'no', match: { tier: 'batch' }, limits: { cpu_used_ratio: { deviation: 9 } } },
  {
    name: 'web',
    match: { tier: 'web' },
    limits: { cpu_used_ratio: { deviation: 0.2, floor: 0.5 } },
  },
  { name: 'all', match: {}, limits: { cpu_used_ratio: { deviation: 0.3, velocityPerMinute: 1 } } },
];
const labelsOf = (): Record<string, string> => ({ tier: 'web' });

test('without rules the limits of the specification hold, and other observables have none', () => {
  const limits = resolveLimits({
    defaults: defaultLimits,
    labelRules: [],
    pairRules: new Map(),
    labelsOf,
  });
  assert.deepEqual(limits(pair, 'cpu_used_ratio'), {
    deviation: 0.1,
    velocityPerMinute: 0.05,
    floor: 0.02,
  });
  assert.equal(limits(pair, 'memory_used_ratio')?.deviation, 0.15);
  assert.equal(limits(pair, 'load_average_1m'), undefined);
});

test('pair goes over label and label over default, number by number', () => {
  const pairRules = new Map([[pair.id, { cpu_used_ratio: { floor: 0.7 } }]]);
  const limits = resolveLimits({ defaults: defaultLimits, labelRules, pairRules, labelsOf });
  assert.deepEqual(limits(pair, 'cpu_used_ratio'), {
    deviation: 0.2,
    velocityPerMinute: 1,
    floor: 0.7,
  });
  assert.equal(limits(pair, 'memory_used_ratio')?.deviation, 0.15);
});
