// The store on a real level in a temporary folder: kept over SIGKILL, damage, locks and restarts.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { openLevel } from '@foreshadow/controller/store/level.ts';
import type { Store } from '@foreshadow/controller/store/index.ts';
import {
  parseHostId,
  parseIncidentId,
  type BootId,
  type HostId,
  type IncidentRecord,
} from '@foreshadow/model';
import { codeOf, seededRandom } from '@foreshadow/runtime';
import {
  NOW_MS,
  accept,
  boot,
  bootOf,
  collect,
  host,
  makeFolder,
  open,
  present,
  required,
} from '../support/temporary-store.ts';

const HOUR_MS = 3_600_000;
const KILLS = 20;
const WRITER = join(import.meta.dirname, '../support/store-writer.ts');
const always = { startMs: 0, endMs: 2 * NOW_MS };

async function sequencesOf(store: Store, ofHost: HostId = host): Promise<readonly number[]> {
  const batches = await collect(store.readRange(ofHost, { ...always, pointsMax: 1e6 }));
  return batches.map(({ sequence }) => sequence);
}

test('batches, coverage, incidents and states are there again after a restart', async () => {
  await using folder = await makeFolder();
  const coverage = { host, boots: [{ boot, ranges: [{ first: 1, last: 3 }] }] };
  const incident = required(parseIncidentId('inc-00112233445566778899aabb'));
  const records = [1, 2, 300].map((sequence): IncidentRecord => {
    const change = sequence === 1 ? 'opened' : 'updated';
    return { sequence, incident, atMs: NOW_MS, change, sentence: 'ä', details: { sequence } };
  });
  {
    await using store = await open(folder.path);
    assert.equal(store.readWindow(host, always), undefined);
    await store.append([accept(3), accept(1), accept(2)], [coverage]);
    await store.appendIncidentRecords(records.toReversed());
    await store.putState('host/web-1', { role: 'production' });
    await store.putState('host/web-1', { role: 'shadow' });
    await store.putState('hosted', null);
  }
  await using store = await open(folder.path);
  assert.deepEqual(await sequencesOf(store), [1, 2, 3]);
  assert.deepEqual(await store.loadCoverages(), [coverage]);
  assert.deepEqual(await collect(store.loadIncidentRecords()), records);
  await store.putState('host/web-2', 1);
  await store.removeState('host/web-2');
  await store.removeState('host/never-put');
  assert.deepEqual(await collect(store.readStates('host/')), [
    { key: 'host/web-1', value: { role: 'shadow' } },
  ]);
  const window = required(store.readWindow(host, always));
  assert.deepEqual(
    [...window.times],
    [1, 2, 3].map((second) => NOW_MS + second * 1_000),
  );
  assert.deepEqual([...required(window.series.get('tasks')?.[0]).values], [1, 2, 3]);
});

test('a batch appended again, before or after a restart, is stored once', async () => {
  await using folder = await makeFolder();
  {
    await using store = await open(folder.path);
    await store.append([accept(1)], []);
    await store.append([accept(1), accept(2)], []);
  }
  await using store = await open(folder.path);
  await store.append([accept(2)], []);
  assert.deepEqual(await sequencesOf(store), [1, 2]);
  assert.equal(store.counters().points, 2);
});

test('a range is read by time, ends included, and no further than its bound', async () => {
  await using folder = await makeFolder();
  await using store = await open(folder.path);
  await store.append(
    [1, 2, 3, 4, 5].map((sequence) => accept(sequence)),
    [],
  );
  await store.append([accept(1, { host: required(parseHostId('web-10')) })], []);
  const startMs = NOW_MS + 2_000;
  const range = { startMs, endMs: startMs + 2_000, pointsMax: 2 };
  const batches = await collect(store.readRange(host, range));
  assert.deepEqual(
    batches.map(({ sequence }) => sequence),
    [2, 3],
  );
  const fraction = { startMs: startMs + 0.5, endMs: startMs + 1_999.5, pointsMax: 9 };
  assert.equal((await collect(store.readRange(host, fraction))).length, 1);
});

test('a second opener gets STORE_LOCKED, and the first goes on', async () => {
  await using folder = await makeFolder();
  await using store = await open(folder.path);
  await assert.rejects(open(folder.path), { code: 'STORE_LOCKED' });
  await store.append([accept(1)], []);
});

test('a store that lost its files is STORE_CORRUPT, never an empty one', async () => {
  await using folder = await makeFolder();
  {
    await using store = await open(folder.path);
    await store.append([accept(1)], []);
  }
  const manifest = required((await readdir(folder.path)).find((name) => name.startsWith('MANI')));
  await truncate(join(folder.path, manifest), 7);
  await assert.rejects(open(folder.path), { code: 'STORE_CORRUPT' });
  await rm(join(folder.path, 'CURRENT'));
  await assert.rejects(open(folder.path), { code: 'STORE_CORRUPT' });
});

test('a file as path is STORE_OPEN_FAILED, a newer format STORE_FORMAT_UNKNOWN', async () => {
  await using folder = await makeFolder();
  await writeFile(join(folder.path, 'file'), '');
  await assert.rejects(open(join(folder.path, 'file')), { code: 'STORE_OPEN_FAILED' });
  const path = join(folder.path, 'store');
  await (await open(path))[Symbol.asyncDispose]();
  await tamper(path, 'm', () => Buffer.from('????2'));
  await assert.rejects(open(path), { code: 'STORE_FORMAT_UNKNOWN' });
});

/** Changes the values of all keys that begin with a letter, behind the store's back. */
async function tamper(
  path: string,
  prefix: string,
  change: (value: Uint8Array, index: number) => Uint8Array,
): Promise<void> {
  await using level = await openLevel(path);
  let index = 0;
  for await (const [key, value] of level.database.iterator()) {
    if (String.fromCharCode(key[0] ?? 0) !== prefix) continue;
    await level.write([{ key, value: change(value, index) }]);
    index += 1;
  }
}

test('damaged records are skipped, counted and named; the rest is served', async () => {
  await using folder = await makeFolder();
  const snapshot = { mode: 'snapshot', snapshotId: 1, partIndex: 0, partCount: 1 } as const;
  {
    await using store = await open(folder.path);
    await store.append(
      [1, 2, 3, 4].map((sequence) => accept(sequence)),
      [],
    );
    const fingerprints = { ...snapshot, changes: [present('/a', 1), present('/b', 1)] };
    await store.append([accept(5, { fingerprints, readings: [] })], []);
    assert.equal(store.hasSnapshot(host), true);
    await store.putState('epoch', 7);
    await store.putState('other', 8);
  }
  const damages = [
    (value: Uint8Array) => value.subarray(0, value.length - 1),
    (value: Uint8Array) => value.with(9, (value[9] ?? 0) ^ 1),
    () => Buffer.from('?'),
  ];
  await tamper(folder.path, 'j', (value, index) => damages[index]?.(value) ?? value);
  await tamper(folder.path, 'f', (value, index) => (index === 0 ? Buffer.alloc(99) : value));
  await tamper(folder.path, 's', (value, index) => (index === 0 ? value.subarray(1) : value));
  const lines: string[] = [];
  await using store = await open(folder.path, lines);
  assert.equal(store.counters().corruptRecordCount, 4);
  assert.equal(lines.filter((line) => line.includes('STORE_RECORD_CORRUPT')).length, 4);
  assert.ok(lines.some((line) => line.includes('journal of web-1')));
  assert.deepEqual(await sequencesOf(store), [4, 5]);
  assert.equal(store.counters().points, 1);
  assert.deepEqual([...store.items(host).keys()], ['file:/b']);
  assert.equal(store.hasSnapshot(host), false, 'a new snapshot must be asked for');
  assert.deepEqual(await collect(store.readStates('')), [{ key: 'other', value: 8 }]);
});

test('the rings are rebuilt from the newest records of every host', async () => {
  await using folder = await makeFolder();
  const hosts = ['a', 'b', 'ab'].map((name) => required(parseHostId(name)));
  {
    await using store = await open(folder.path);
    for (const id of hosts) {
      const sequences = Array.from({ length: 30 }, (_, index) => index + 1);
      await store.append(
        sequences.map((sequence) => accept(sequence, { host: id })),
        [],
      );
    }
  }
  await using store = await open(folder.path, [], 10);
  for (const id of hosts) {
    const { times } = required(store.readWindow(id, always));
    assert.deepEqual([times.length, times[0], times[9]], [10, NOW_MS + 21_000, NOW_MS + 30_000]);
  }
});

test('retention removes what is too old of all hosts, in steps, and nothing else', async () => {
  await using folder = await makeFolder();
  await using store = await open(folder.path);
  const hosts = Array.from({ length: 40 }, (_, index) => required(parseHostId(`h${index}`)));
  for (const id of hosts) {
    const old = accept(1, { host: id, wallMs: NOW_MS - 73 * HOUR_MS });
    const kept = accept(2, { host: id, wallMs: NOW_MS - 71 * HOUR_MS });
    await store.append([old, kept], []);
  }
  await store.putState('a', 1);
  assert.equal(await store.compactionStep(), true);
  assert.equal(await store.compactionStep(), false);
  for (const id of hosts) assert.deepEqual(await sequencesOf(store, id), [2]);
  assert.deepEqual(await collect(store.readStates('')), [{ key: 'a', value: 1 }]);
});

test('incidents closed 90 days ago are removed whole; open and younger ones stay', async () => {
  await using folder = await makeFolder();
  await using store = await open(folder.path);
  const dayMs = 24 * HOUR_MS;
  let sequence = 0;
  const record = (
    name: string,
    change: IncidentRecord['change'],
    ageDays: number,
  ): IncidentRecord => {
    const incident = required(parseIncidentId(`inc-${name.repeat(12)}`));
    sequence += 1;
    return {
      sequence,
      incident,
      atMs: NOW_MS - ageDays * dayMs,
      change,
      sentence: '',
      details: {},
    };
  };
  await store.appendIncidentRecords([
    record('a', 'opened', 100),
    record('b', 'opened', 99),
    record('a', 'updated', 98),
    record('c', 'opened', 97),
    record('a', 'closed', 95),
    record('a', 'outcome', 94),
    record('b', 'updated', 93),
    record('c', 'closed', 89),
    record('d', 'opened', 2),
    record('d', 'closed', 1),
  ]);
  const sequences = async (): Promise<readonly number[]> =>
    (await collect(store.loadIncidentRecords())).map((one) => one.sequence);
  assert.equal(await store.compactionStep(), true);
  assert.deepEqual(await sequences(), [2, 4, 7, 8, 9, 10]);
  assert.equal(await store.compactionStep(), false);
});

test('the newest record of all stays, so that no sequence is given twice', async () => {
  await using folder = await makeFolder();
  await using store = await open(folder.path);
  const incident = required(parseIncidentId('inc-00112233445566778899aabb'));
  const old = { incident, atMs: 1, sentence: '', details: {} } as const;
  await store.appendIncidentRecords([
    { ...old, sequence: 1, change: 'opened' },
    { ...old, sequence: 2, change: 'closed' },
  ]);
  await store.compactionStep();
  const kept = await collect(store.loadIncidentRecords());
  assert.deepEqual(
    kept.map(({ sequence }) => sequence),
    [1, 2],
  );
});

/**
 * Runs the writer until `isEnough` says so of a line, then kills it. @returns the last printed
 * sequence
 */
async function writeUntilKilled(
  run: { readonly path: string; readonly boot: BootId; readonly startMs: number },
  isEnough: (line: string) => boolean,
): Promise<number> {
  const args = [WRITER, run.path, run.boot, String(run.startMs)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (isEnough(line)) child.kill('SIGKILL');
  }
  await closed;
  return acknowledged;
}

test(
  'what append acknowledged survives SIGKILL at any moment, once',
  { timeout: 120_000 },
  async (t) => {
    await using folder = await makeFolder();
    const random = seededRandom(20);
    let acknowledgedCount = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const run = { path: folder.path, boot: bootOf(kill), startMs: kill * 1e9 };
      let left = 1 + Math.floor(random() * 40);
      const acknowledged = await writeUntilKilled(run, () => {
        left -= 1;
        return left === 0;
      });
      acknowledgedCount += acknowledged;
      assert.ok(acknowledged > 0);

      await using store = await open(folder.path);
      const span = { startMs: run.startMs, endMs: run.startMs + 1e9 - 1, pointsMax: 1e6 };
      const sequences = (await collect(store.readRange(host, span))).map(
        ({ sequence }) => sequence,
      );
      assert.ok(sequences.length >= acknowledged);
      assert.deepEqual(
        sequences,
        Array.from({ length: sequences.length }, (_, index) => index + 1),
      );
      const [coverage] = await store.loadCoverages();
      const covered = coverage?.boots[0]?.ranges[0]?.last;
      assert.equal(covered, sequences.length, 'coverage and records are of one commit');
      assert.equal(store.counters().corruptRecordCount, 0);
    }
    t.diagnostic(`${KILLS} kills, ${acknowledgedCount} acknowledged batches, 0 lost, 0 twice`);
  },
);

test('a failed write is STORE_WRITE_FAILED for good; what was acknowledged stays', async () => {
  await using folder = await makeFolder();
  // SIGXFSZ ignored, a write beyond the limit is EFBIG: the nearest to a full disk without root.
  const script = `trap '' XFSZ; ulimit -f 400; exec "$0" "$@"`;
  const args = ['-c', script, process.execPath, WRITER, folder.path, boot, '0'];
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  await closed;
  assert.deepEqual(lines.slice(-2), ['error STORE_WRITE_FAILED', 'error STORE_WRITE_FAILED']);
  await using store = await open(folder.path);
  assert.ok((await sequencesOf(store)).length >= Number(lines.at(-3)));
});

test('append after close is refused with a code', async () => {
  await using folder = await makeFolder();
  const store = await open(folder.path);
  await store[Symbol.asyncDispose]();
  const error: unknown = await store.append([accept(1)], []).catch((cause: unknown) => cause);
  assert.equal(codeOf(error), 'STORE_WRITE_FAILED');
});
