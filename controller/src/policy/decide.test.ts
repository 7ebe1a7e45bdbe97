import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkValue } from '@foreshadow/runtime';
import { pairIdOf, parseHostId, parseIncidentId, verdictStatuses } from '@foreshadow/model';
import type { Decision, Drift, HostRecord, Incident, Verdict } from '@foreshadow/model';
import { RESTORES_PER_HOUR_MAX, RESTORE_COOLDOWN_MS, decide } from './decide.ts';
import { defaultRules, policyRulesSchema, type PolicyRules } from './schema.ts';

const production = parseHostId('a');
const shadow = parseHostId('b');
const id = parseIncidentId('inc-000000000000');
assert.ok(production !== undefined && shadow !== undefined && id !== undefined);
const pair = { id: pairIdOf(production, shadow), production, shadow, origin: 'explicit' };
const NOW_MS = 10_000_000;

const drift: Drift = {
  pair: pair.id,
  item: 'file:/etc/shop/service.json',
  subject: 'file',
  name: '/etc/shop/service.json',
  difference: 'differs',
  changedSide: 'shadow',
  productionFacts: { content: 'good' },
  shadowFacts: { content: 'bad' },
  sinceMs: 0,
};
const incident: Incident = {
  id,
  pair: pair.id,
  kind: 'drift',
  subject: drift.item,
  state: 'open',
  openedMs: 0,
  updatedMs: 0,
  sentence: 'file /etc/shop/service.json differs: the shadow changed it.',
  drift,
};
const shadowHost: HostRecord = {
  id: shadow,
  role: 'shadow',
  labels: {},
  scope: 'host',
  agentVersion: '0.1.0',
  firstSeenMs: 0,
  lastSeenMs: 0,
  isConnected: true,
  inventory: {},
};

function verdictOf(status: Verdict['status']): Verdict {
  const load = { kind: 'unknown' } as const;
  const rest = { sentence: 'Said.', commonCount: 9, load, findings: [] };
  return { pair: pair.id, atMs: 0, status, reason: 'OVER_LIMIT', ...rest };
}

type Case = Parameters<typeof decide>[0];

function decisions(given: Partial<Case> = {}): readonly Decision[] {
  return decide({
    incident,
    pair,
    verdict: verdictOf('diverged'),
    shadowHost,
    rules: defaultRules,
    history: [],
    nowMs: NOW_MS,
    ...given,
  });
}

const only = (action: 'restore' | 'alert'): PolicyRules => ({
  rules: [{ name: 'any', when: { incident: 'drift' }, do: action }],
});
const drifted = (change: Partial<Drift>): Incident => ({
  ...incident,
  drift: { ...drift, ...change },
});
const kinds = (given: Partial<Case>): readonly string[] => decisions(given).map(({ kind }) => kind);

test('a file that the shadow changed is restored to the content of production, and told', () => {
  const [restore, alert] = decisions();
  assert.deepEqual(restore, {
    kind: 'restore',
    incident: id,
    rule: 'restore-shadow-files',
    sentence: "Restore file /etc/shop/service.json on b to production's content.",
    host: shadow,
    order: {
      kind: 'restore',
      item: drift.item,
      expectedDigest: 'bad',
      targetDigest: 'good',
    },
  });
  assert.equal(alert?.kind, 'alert');
});

test('what cannot or must not be restored is left alone, with an explanation', () => {
  const f = (given: Partial<Case>, sentence: RegExp): void => {
    const [decision, ...others] = decisions({ rules: only('restore'), ...given });
    assert.deepEqual([decision?.kind, others], ['none', []]);
    assert.match(decision?.sentence ?? '', sentence);
  };
  f({ verdict: verdictOf('inconclusive') }, /inconclusive, and no command follows/);
  f({ verdict: undefined }, /inconclusive/);
  f({ shadowHost: undefined }, /not connected/);
  f({ shadowHost: { ...shadowHost, isConnected: false } }, /not connected/);
  const { changedSide: _, ...never } = drift;
  f({ incident: { ...incident, drift: never } }, /not known which side changed it/);
  f({ incident: drifted({ difference: 'missing-on-shadow' }) }, /only one host has the file/);
  f({ incident: drifted({ productionFacts: {} }) }, /content of the file is not known/);
  f({ incident: drifted({ shadowFacts: { content: 'good' } }) }, /only attributes differ/);
  f({ incident: drifted({ subject: 'package' }) }, /only files can be put back/);
  f({ incident: { ...incident, state: 'closed' } }, /is closed/);
});

test('by default a file is restored when its pair has diverged, and not while it is diverging', () => {
  assert.deepEqual(kinds({ verdict: verdictOf('diverging') }), ['alert']);
  assert.deepEqual(kinds({ verdict: verdictOf('diverged') }), ['restore', 'alert']);
});

test('on the production side a restore becomes an alert', () => {
  const [decision, ...others] = decisions({
    rules: only('restore'),
    incident: drifted({ changedSide: 'production' }),
  });
  assert.deepEqual([decision?.kind, others], ['alert', []]);
  assert.match(decision?.sentence ?? '', /Production is alert-only/);
});

test('an item is restored once in the cool-down, and three times an hour at most', () => {
  const [restore] = decisions();
  assert.equal(restore?.kind, 'restore');
  const history = (...agesMs: number[]): Case['history'] =>
    agesMs.map((ageMs) => ({ decision: restore, atMs: NOW_MS - ageMs }));
  const f = (past: Case['history'], kind: string, sentence: RegExp): void => {
    const [decision] = decisions({ rules: only('restore'), history: past });
    assert.equal(decision?.kind, kind);
    assert.match(decision?.sentence ?? '', sentence);
  };
  f(history(RESTORE_COOLDOWN_MS - 1), 'none', /less than 30 s ago/);
  f(history(RESTORE_COOLDOWN_MS), 'restore', /^Restore file/);
  const many = Array.from({ length: RESTORES_PER_HOUR_MAX }, (_, index) => (index + 1) * 60_000);
  f(history(...many), 'none', /came back after 3 restores within an hour; a person must look/);
  f(history(...many.map((ageMs) => ageMs + 3_600_000)), 'restore', /^Restore file/);
});

test('an alert is given once an incident', () => {
  const [alert] = decisions({ rules: only('alert') });
  assert.equal(alert?.kind, 'alert');
  const history = [{ decision: alert, atMs: 0 }];
  assert.deepEqual(kinds({ rules: only('alert'), history }), ['none']);
  const other = parseIncidentId('inc-111111111111');
  assert.ok(other !== undefined);
  const earlier = [{ decision: { ...alert, incident: other }, atMs: 0 }];
  assert.deepEqual(kinds({ rules: only('alert'), history: earlier }), ['alert']);
});

test('the first rule that matches holds, and without one nothing is done', () => {
  assert.deepEqual(kinds({ rules: { rules: [] } }), ['none']);
  assert.deepEqual(kinds({ verdict: verdictOf('aligned') }), ['alert']);
  const behaviour = { ...incident, kind: 'behaviour', subject: 'behaviour' } as const;
  const { drift: _, ...bare } = behaviour;
  assert.deepEqual(kinds({ incident: bare }), ['alert']);
  const rules: PolicyRules = {
    rules: [
      { name: 'packages', when: { incident: 'drift', subject: 'package' }, do: 'alert' },
      { name: 'files', when: { incident: 'drift', subject: 'file' }, do: 'alert' },
      { name: 'late', when: { incident: 'drift' }, do: 'alert' },
    ],
  };
  const [decision] = decisions({ rules });
  assert.equal(decision?.kind === 'alert' ? decision.rule : undefined, 'files');
});

test('whatever the case, a restore goes to the shadow and never follows an inconclusive verdict', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...verdictStatuses),
      fc.constantFrom('production', 'shadow', undefined),
      fc.constantFrom<Drift['difference']>('differs', 'missing-on-production', 'missing-on-shadow'),
      fc.constantFrom(defaultRules, only('restore')),
      (status, side, difference, rules) => {
        const { changedSide: _, ...rest } = drift;
        const changed = { ...rest, difference, ...(side !== undefined && { changedSide: side }) };
        const verdict = verdictOf(status);
        for (const decision of decisions({
          incident: { ...incident, drift: changed },
          verdict,
          rules,
        })) {
          if (decision.kind !== 'restore') continue;
          assert.equal(decision.host, shadow);
          assert.notEqual(status, 'inconclusive');
          assert.equal(side, 'shadow');
        }
      },
    ),
  );
});

test('a rules file is checked: the rules that hold by default pass, a wrong word does not', () => {
  assert.deepEqual(checkValue(policyRulesSchema, defaultRules).mistakes, []);
  const wrong = { rules: [{ name: 'x', when: { incident: 'drift' }, do: 'reboot' }] };
  assert.equal(checkValue(policyRulesSchema, wrong).mistakes.length, 1);
});
