// Facts about the events of an incident: they say what its ledger says, the difference first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  pairIdOf,
  parseHostId,
  parseIncidentId,
  type Drift,
  type Incident,
  type IncidentRecord,
} from '@foreshadow/model';
import { incidentEvents } from './incident-events.ts';

const [production, shadow] = [parseHostId('a'), parseHostId('b')];
const id = parseIncidentId('inc-0123456789ab');
assert.ok(production !== undefined && shadow !== undefined && id !== undefined);
const pair = pairIdOf(production, shadow);
const about = {
  id,
  pair,
  subject: 'file:/etc/shop',
  state: 'open',
  openedMs: 1,
  updatedMs: 1,
  sentence: 'It differs.',
} as const;
const drift: Drift = {
  pair,
  item: 'file:/etc/shop',
  subject: 'file',
  name: '/etc/shop',
  difference: 'differs',
  sinceMs: 1,
};
const ofDrift: Incident = { ...about, kind: 'drift', drift };
const changes = ['opened', 'updated', 'decided', 'commanded', 'outcome', 'closed'] as const;
const recordOf = (change: IncidentRecord['change']): IncidentRecord => ({
  sequence: 1,
  incident: about.id,
  atMs: 5,
  change,
  sentence: 'So.',
  details: {},
});
const namesOf = (incident: Incident): unknown =>
  changes.map((change) =>
    incidentEvents(incident, recordOf(change)).map(({ family, what }) => `${family}.${what}`),
  );

test('drift appears, changes and goes with its incident, and is told before it', () => {
  assert.deepEqual(namesOf(ofDrift), [
    ['drift.appeared', 'incident.opened'],
    ['drift.changed', 'incident.updated'],
    ['incident.decided'],
    ['incident.commanded'],
    ['incident.outcome'],
    ['drift.gone', 'incident.closed'],
  ]);
});

test('an incident without drift tells of itself alone', () => {
  const { drift: _, ...without } = ofDrift;
  assert.deepEqual(
    namesOf({ ...without, kind: 'behaviour' }),
    changes.map((change) => [`incident.${change}`]),
  );
});

test('an event carries the time, the pair, and the incident with its record', () => {
  const record = recordOf('opened');
  assert.deepEqual(incidentEvents(ofDrift, record), [
    { family: 'drift', what: 'appeared', pair, atMs: 5, data: drift },
    { family: 'incident', what: 'opened', pair, atMs: 5, data: { incident: ofDrift, record } },
  ]);
});
