import { test } from 'node:test';
import assert from 'node:assert/strict';
import { pairIdOf, parseHostId } from '@foreshadow/model';
import type {
  Decision,
  Drift,
  Finding,
  Incident,
  IncidentRecord,
  Verdict,
} from '@foreshadow/model';
import {
  DRIFT_INCIDENTS_PER_PAIR_MAX,
  createIncidents,
  type ComparedItems,
  type Incidents,
} from './incidents.ts';
import { DECISIONS_PER_KIND_MAX, INCIDENTS_MAX, RECORDS_PER_INCIDENT_MAX } from './ledger.ts';

const production = parseHostId('a');
const shadow = parseHostId('b');
assert.ok(production !== undefined && shadow !== undefined);
const pair = pairIdOf(production, shadow);

interface Room {
  readonly incidents: Incidents;
  readonly stored: IncidentRecord[];
}

function openRoom(stored: IncidentRecord[] = []): Room {
  let count = stored.length;
  const incidents = createIncidents({
    newIdentifier: (prefix) => `${prefix}-${String((count += 1)).padStart(12, '0')}`,
    persist: async (records) => {
      stored.push(...records);
    },
  });
  for (const record of stored) incidents.restore(record);
  return { incidents, stored };
}

function driftOf(name: string, more: Partial<Drift> = {}): Drift {
  return {
    pair,
    item: `file:${name}`,
    subject: 'file',
    name,
    difference: 'differs',
    changedSide: 'shadow',
    shadowDigest: '1',
    sinceMs: 0,
    ...more,
  };
}

function only(drifts: readonly Drift[]): ComparedItems {
  return { drifts, unreadable: new Set(), isCut: false };
}

function verdictOf(status: Verdict['status'], observables: Finding['observable'][] = []): Verdict {
  return {
    pair,
    atMs: 5,
    status,
    reason: 'OVER_LIMIT',
    sentence: `It is ${status}.`,
    commonCount: 9,
    load: { kind: 'unknown' },
    findings: observables.map((observable) => ({
      observable,
      status: 'diverged',
      reason: 'OVER_LIMIT',
      breachCount: 3,
      evaluationCount: 5,
      ruleFired: true,
    })),
  };
}

function first(incidents: Incidents): Incident {
  const [incident] = incidents.list();
  assert.ok(incident !== undefined);
  return incident;
}

test('a drift opens one incident that names the file, and closes it when it is gone', async () => {
  const { incidents, stored } = openRoom();
  const drifts = [driftOf('/etc/shop/service.json')];
  await incidents.commit(incidents.recordDrifts(pair, only(drifts), 10));
  assert.equal(
    first(incidents).sentence,
    'file /etc/shop/service.json differs: the shadow changed it.',
  );
  assert.deepEqual(incidents.recordDrifts(pair, only(drifts), 11), []);
  const changed = [driftOf('/etc/shop/service.json', { shadowDigest: '2' })];
  await incidents.commit(incidents.recordDrifts(pair, only(changed), 12));
  assert.equal(first(incidents).drift?.shadowDigest, '2');
  await incidents.commit(incidents.recordDrifts(pair, only([]), 13));
  assert.deepEqual([first(incidents).state, first(incidents).closedMs], ['closed', 13]);
  assert.deepEqual(
    stored.map(({ sequence, change }) => [sequence, change]),
    [
      [1, 'opened'],
      [2, 'updated'],
      [3, 'closed'],
    ],
  );
  await incidents.commit(incidents.recordDrifts(pair, only(drifts), 14));
  assert.equal(incidents.list().length, 2);
});

test('an incident stays open while nobody knows whether its item still differs', async () => {
  const { incidents } = openRoom();
  const drift = driftOf('x');
  await incidents.commit(incidents.recordDrifts(pair, only([drift]), 1));
  const unreadable = new Set([drift.item]);
  assert.deepEqual(incidents.recordDrifts(pair, { ...only([]), unreadable }, 2), []);
  assert.deepEqual(incidents.recordDrifts(pair, { ...only([]), isCut: true }, 3), []);
  const other = { ...only([]), unreadable: new Set([driftOf('y').item]) };
  assert.equal(incidents.recordDrifts(pair, other, 4)[0]?.change, 'closed');
});

test('a cut list still opens and updates what stands in it', async () => {
  const { incidents } = openRoom();
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('x')]), 1));
  const drifts = [driftOf('x', { shadowDigest: '2' }), driftOf('y')];
  assert.deepEqual(
    incidents.recordDrifts(pair, { ...only(drifts), isCut: true }, 2).map(({ change }) => change),
    ['updated', 'opened'],
  );
});

test('a second edit keeps who changed the item first, and since when', async () => {
  const { incidents } = openRoom();
  const newest = async (drift: Drift): Promise<Drift | undefined> => {
    await incidents.commit(incidents.recordDrifts(pair, only([drift]), 9));
    return first(incidents).drift;
  };
  await newest(driftOf('x', { sinceMs: 5 }));
  const { changedSide: _, ...again } = driftOf('x', { shadowDigest: '2', sinceMs: 8 });
  const kept = { ...again, changedSide: 'shadow', sinceMs: 5 } as const;
  assert.deepEqual(await newest(again), kept);
  assert.equal(first(incidents).sentence, 'file x differs: the shadow changed it.');
  assert.deepEqual(incidents.recordDrifts(pair, only([again]), 10), []);
  const theirs = driftOf('x', { changedSide: 'production', productionDigest: '3', sinceMs: 12 });
  assert.deepEqual(await newest(theirs), theirs);
});

test('after both sides have changed an item nobody is said to have changed it', async () => {
  const sides = [
    { changedSide: 'shadow', productionDigest: '9' },
    { changedSide: 'production', shadowDigest: '9' },
  ] as const;
  for (const { changedSide, ...others } of sides) {
    const { incidents } = openRoom();
    const began = driftOf('x', { changedSide, productionDigest: '0', sinceMs: 5 });
    await incidents.commit(incidents.recordDrifts(pair, only([began]), 6));
    const { changedSide: _, ...newest } = { ...began, ...others, sinceMs: 8 };
    await incidents.commit(incidents.recordDrifts(pair, only([newest]), 9));
    assert.deepEqual(first(incidents).drift, { ...newest, sinceMs: 5 });
    assert.equal(
      first(incidents).sentence,
      'file x differs: it is not known which side changed it.',
    );
  }
});

test('every difference has its sentence', async () => {
  const { changedSide: _, ...never } = driftOf('x', { subject: 'kernel-parameter' });
  const f = (drift: Drift, sentence: string): void => {
    const [change] = openRoom().incidents.recordDrifts(pair, only([drift]), 0);
    assert.equal(change?.sentence, sentence);
  };
  f(never, 'kernel parameter x differs: it is not known which side changed it.');
  f(
    driftOf('y', { difference: 'missing-on-shadow' }),
    'file y is only on production: the shadow changed it.',
  );
  f(
    driftOf('z', { difference: 'missing-on-production', changedSide: 'production' }),
    'file z is only on the shadow: production changed it.',
  );
});

test('behaviour opens on diverged and closes on aligned, not on what is not known', async () => {
  const { incidents } = openRoom();
  const tell = async (verdict: Verdict): Promise<readonly IncidentRecord[]> =>
    incidents.commit(incidents.recordVerdict(verdict));
  assert.equal((await tell(verdictOf('diverging'))).length, 0);
  assert.equal((await tell(verdictOf('diverged', ['cpu_used_ratio'])))[0]?.change, 'opened');
  assert.equal((await tell(verdictOf('diverged', ['cpu_used_ratio']))).length, 0);
  const more = verdictOf('diverged', ['cpu_used_ratio', 'memory_used_ratio']);
  assert.equal((await tell(more))[0]?.change, 'updated');
  assert.equal((await tell(more)).length, 0);
  assert.equal((await tell(verdictOf('inconclusive'))).length, 0);
  assert.equal((await tell(verdictOf('diverging'))).length, 0);
  assert.equal((await tell(verdictOf('aligned')))[0]?.change, 'closed');
  assert.equal((await tell(verdictOf('aligned'))).length, 0);
});

test('what is open on a pair closes when the pair is no longer formed, after a restart, too', async () => {
  const { incidents, stored } = openRoom();
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('x')]), 1));
  await incidents.commit(incidents.recordVerdict(verdictOf('diverged', ['cpu_used_ratio'])));
  await incidents.commit(incidents.recordDrifts(pair, only([]), 2));
  assert.deepEqual(incidents.recordPairs(new Set([pair]), 3), []);
  for (const room of [openRoom([...stored]).incidents, incidents]) {
    const records = await room.commit(room.recordPairs(new Set(), 4));
    assert.deepEqual(
      records.map(({ change, sentence }) => [change, sentence]),
      [['closed', 'The two hosts are no longer a pair.']],
    );
    assert.ok(room.list().every(({ state }) => state === 'closed'));
  }
});

test('a record is seen when it is durable, and never when it could not be stored', async () => {
  const stored: IncidentRecord[] = [];
  let isBroken = true;
  const { promise: durable, resolve } = Promise.withResolvers<void>();
  const incidents = createIncidents({
    newIdentifier: (prefix) => `${prefix}-${'0'.repeat(12)}`,
    persist: async (records) => {
      if (isBroken) throw new Error('disk full');
      await durable;
      stored.push(...records);
    },
  });
  const changes = incidents.recordDrifts(pair, only([driftOf('x')]), 1);
  await assert.rejects(incidents.commit(changes), /disk full/);
  assert.deepEqual(incidents.list(), []);
  isBroken = false;
  const committed = incidents.commit(changes);
  assert.deepEqual(incidents.list(), []);
  resolve();
  assert.deepEqual(await committed, stored);
  assert.deepEqual(stored[0]?.sequence, 1);
  assert.equal(incidents.list().length, 1);
});

test('commits at the same time are numbered one after the other', async () => {
  const { incidents, stored } = openRoom();
  const changes = ['x', 'y', 'z'].flatMap((name) =>
    incidents.recordDrifts(pairIdOf(production, shadow), only([driftOf(name)]), 1),
  );
  await Promise.all(changes.map((change) => incidents.commit([change])));
  assert.deepEqual(
    stored.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
});

test('what was decided stands in the records and is found by subject', async () => {
  const { incidents } = openRoom();
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('x')]), 1));
  const { id, subject } = first(incidents);
  const decision: Decision = { kind: 'none', incident: id, sentence: 'Nothing.' };
  const note = { incident: id, atMs: 2, sentence: 'Nothing.' };
  await incidents.commit([{ ...note, change: 'decided', details: { decision } }]);
  await incidents.commit([{ ...note, change: 'outcome', details: {} }]);
  assert.deepEqual(
    incidents.records(id).map(({ change }) => change),
    ['opened', 'decided', 'outcome'],
  );
  assert.deepEqual(incidents.decisions({ pair, subject }), [{ decision, atMs: 2 }]);
  assert.deepEqual(incidents.decisions({ pair, subject: 'file:y' }), []);
});

test('what was decided is not forgotten for what was recorded since, nor after a restart', async () => {
  const { incidents, stored } = openRoom();
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('x')]), 0));
  const { id: incident, subject } = first(incidents);
  const decide = (decision: Decision, atMs: number): Promise<unknown> => {
    const { sentence } = decision;
    return incidents.commit([
      { incident, atMs, change: 'decided', sentence, details: { decision } },
    ]);
  };
  const alert: Decision = { kind: 'alert', incident, rule: 'r', sentence: 'Look.' };
  await decide(alert, 1);
  for (let count = 1; count <= RECORDS_PER_INCIDENT_MAX + 5; count += 1) {
    const again = driftOf('x', { shadowDigest: String(count + 1) });
    await incidents.commit(incidents.recordDrifts(pair, only([again]), count));
    await decide({ kind: 'none', incident, sentence: `Nothing, ${count}.` }, count);
  }
  for (const room of [incidents, openRoom(stored).incidents]) {
    const [oldest, ...others] = room.decisions({ pair, subject });
    assert.deepEqual(oldest, { decision: alert, atMs: 1 });
    assert.equal(others.length, DECISIONS_PER_KIND_MAX);
    assert.equal(others.at(-1)?.atMs, RECORDS_PER_INCIDENT_MAX + 5);
  }
});

test('decisions on a subject outlive its incident, and go with the last one in memory', async () => {
  const { incidents } = openRoom();
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('x')]), 0));
  const { id: incident, subject } = first(incidents);
  const decision: Decision = { kind: 'none', incident, sentence: 'Nothing.' };
  await incidents.commit([
    { incident, atMs: 1, change: 'decided', sentence: 'Nothing.', details: { decision } },
  ]);
  await incidents.commit(incidents.recordDrifts(pair, only([]), 2));
  assert.equal(incidents.decisions({ pair, subject }).length, 1);
  for (let round = 0; round < INCIDENTS_MAX / 200; round += 1) {
    const names = Array.from({ length: 200 }, (_, index) => driftOf(`f${index}`));
    await incidents.commit(incidents.recordDrifts(pair, only(names), round));
    await incidents.commit(incidents.recordDrifts(pair, only([]), round));
  }
  assert.deepEqual(incidents.decisions({ pair, subject }), []);
});

test('a room opened again from its records knows the same', async () => {
  const { incidents, stored } = openRoom();
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('x'), driftOf('y')]), 1));
  await incidents.commit(incidents.recordVerdict(verdictOf('diverged', ['cpu_used_ratio'])));
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('y')]), 2));
  const copy: IncidentRecord[] = JSON.parse(JSON.stringify(stored)) as IncidentRecord[];
  const again = openRoom(copy).incidents;
  assert.deepEqual(again.list(), incidents.list());
  assert.deepEqual(again.recordDrifts(pair, only([driftOf('y')]), 3), []);
  assert.deepEqual(again.recordVerdict(verdictOf('diverged', ['cpu_used_ratio'])), []);
  const [record] = await again.commit(again.recordDrifts(pair, only([]), 4));
  assert.equal(record?.sequence, 5);
});

test('a record of an incident that is not in memory changes nothing', () => {
  const orphan = {
    sequence: 7,
    atMs: 1,
    change: 'closed',
    sentence: 'Gone.',
    details: {},
  } as const;
  const { incidents } = openRoom();
  const [opened] = incidents.recordDrifts(pair, only([driftOf('x')]), 1);
  assert.ok(opened !== undefined);
  assert.deepEqual(openRoom([{ ...orphan, incident: opened.incident }]).incidents.list(), []);
});

test('a pair that differs in all opens a bounded number, and counts the rest', async () => {
  const { incidents } = openRoom();
  const drifts = Array.from({ length: DRIFT_INCIDENTS_PER_PAIR_MAX + 5 }, (_, index) =>
    driftOf(`f${index}`),
  );
  await incidents.commit(incidents.recordDrifts(pair, only(drifts), 1));
  assert.equal(incidents.list().length, DRIFT_INCIDENTS_PER_PAIR_MAX);
  assert.equal(incidents.suppressedCount(), 5);
});

test('closed incidents are dropped from memory, the oldest first; open ones stay', async () => {
  const { incidents } = openRoom();
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('stays')]), 0));
  for (let round = 0; round < INCIDENTS_MAX / 100; round += 1) {
    const names = Array.from({ length: 100 }, (_, index) => driftOf(`f${index}`));
    await incidents.commit(incidents.recordDrifts(pair, only([driftOf('stays'), ...names]), round));
    await incidents.commit(incidents.recordDrifts(pair, only([driftOf('stays')]), round));
  }
  assert.equal(incidents.list().length, INCIDENTS_MAX);
  assert.deepEqual([first(incidents).subject, first(incidents).state], ['file:stays', 'open']);
});

test('an incident keeps its first record and the newest of the others', async () => {
  const { incidents } = openRoom();
  await incidents.commit(incidents.recordDrifts(pair, only([driftOf('x')]), 0));
  const { id } = first(incidents);
  const notes = Array.from({ length: 300 }, (_, atMs) => {
    return { incident: id, atMs, change: 'outcome', sentence: '', details: {} } as const;
  });
  await incidents.commit(notes);
  const records = incidents.records(id);
  assert.equal(records.length, RECORDS_PER_INCIDENT_MAX);
  assert.deepEqual([records[0]?.change, records.at(-1)?.sequence], ['opened', 301]);
});
