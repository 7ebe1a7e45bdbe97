// In: fingerprinters that answer, fail and hang, and a clock moved by hand. Out: proof that what is
// reported is always what is known.
// Never: sleeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FingerprintReport, FingerprintSubject, UnitReport } from '@foreshadow/model';
import type { Clock, Timer } from '@foreshadow/runtime';
import type { Effort, Finding, Fingerprinter } from './fingerprinter.ts';
import { SNAPSHOT_GAP_MS, openFingerprints, type Fingerprints } from './fingerprints.ts';
import { COALESCE_MS, ITEMS_PER_UNIT_MAX } from './unit-loop.ts';

const WALL_MS = 1_800_000_000_000;

test('the start is told by one snapshot of all, later only what changed', async () => {
  await using run = await start({ files: [present('file', 'a')], packages: [] });
  assert.deepEqual(run.told(), ['snapshot: file:a']);
  await run.clock.advance(60_000);
  assert.deepEqual(run.told(), []);
  run.files.findings = [present('file', 'a', 'y'), present('file', 'b')];
  run.packages.findings = [present('package', 'p')];
  await run.clock.advance(60_000);
  assert.deepEqual(run.told(), ['changes: file:a file:b', 'changes: package:p']);
  run.files.findings = [present('file', 'b'), unreadable('file', 'c')];
  await run.clock.advance(60_000);
  assert.deepEqual(run.told(), ['changes: ?file:c -file:a']);
});

test('a fingerprinter that fails at the start leaves its subject unknown, not empty', async () => {
  await using run = await start({ files: [present('file', 'a')], packages: 'EACCES' });
  assert.deepEqual(run.told(), ['snapshot: file:a ?package:*']);
  assert.deepEqual(run.units.at(-1), {
    unit: 'packages',
    result: 'failed',
    durationMs: 0,
    errorCode: 'EACCES',
  });
  run.packages.findings = [present('package', 'p')];
  await run.clock.advance(60_000);
  assert.deepEqual(run.told(), ['changes: package:p -package:*']);
});

test('an answer beyond the bound is a failure', async () => {
  const many = Array.from({ length: ITEMS_PER_UNIT_MAX + 1 }, (_, at) => present('file', `${at}`));
  await using run = await start({ files: many, packages: [] });
  assert.deepEqual(run.told(), ['snapshot: ?file:*']);
  const report = run.units.find(({ unit }) => unit === 'files');
  assert.equal(report?.errorCode, 'FINGERPRINT_TOO_MANY_ITEMS');
});

test('a later failure leaves what was known', async () => {
  await using run = await start({ files: [present('file', 'a')], packages: [] });
  run.told();
  run.files.findings = 'EIO';
  await run.clock.advance(120_000);
  assert.deepEqual(run.told(), []);
  assert.equal(run.fingerprints.itemCount, 1);
  await run.clock.advance(SNAPSHOT_GAP_MS);
  run.fingerprints.requestSnapshot();
  assert.deepEqual(run.told(), ['snapshot: file:a']);
});

test('one that hangs delays the snapshot to its limit and is not asked twice', async () => {
  const hanging = Promise.withResolvers<readonly Finding[]>();
  await using run = await start({ files: [present('file', 'a')], packages: hanging.promise });
  assert.deepEqual(run.told(), []);
  await run.clock.advance(10_000);
  assert.deepEqual(run.told(), ['snapshot: file:a ?package:*']);
  assert.equal(run.units.at(-1)?.errorCode, 'FINGERPRINT_LATE');
  run.files.findings = [present('file', 'b')];
  await run.clock.advance(60_000);
  assert.deepEqual(run.told(), ['changes: file:b -file:a']);
  assert.equal(run.packages.efforts.length, 1);
  assert.equal(run.units.findLast(({ unit }) => unit === 'packages')?.result, 'hanging');
  hanging.resolve([]);
  run.packages.findings = [];
  await run.clock.advance(60_000);
  assert.deepEqual(run.told(), ['changes: -package:*']);
});

test('notices in a burst are answered by one read', async () => {
  await using run = await start({ files: [], packages: [] });
  run.told();
  run.files.findings = [present('file', 'a')];
  for (let at = 0; at < 20; at += 1) run.files.notice();
  await run.clock.advance(COALESCE_MS - 1);
  assert.deepEqual(run.told(), []);
  await run.clock.advance(1);
  assert.deepEqual(run.told(), ['changes: file:a']);
  assert.deepEqual(run.files.efforts, ['rehash', 'noticed']);
});

test('reads rest between notices that never end, but not for long', async () => {
  await using run = await start({ files: [], packages: [] });
  run.files.tookMs = 100;
  for (let at = 0; at < 300; at += 1) {
    run.files.notice();
    await run.clock.advance(100);
  }
  const noticed = run.files.efforts.filter((effort) => effort === 'noticed').length;
  assert.equal(noticed >= 20 && noticed <= 33, true, `${noticed} reads in 30 s`);
});

test('a snapshot is repeated from memory, with a greater number, and not too often', async () => {
  await using run = await start({ files: [present('file', 'a')], packages: [] });
  run.fingerprints.requestSnapshot();
  run.fingerprints.requestSnapshot();
  assert.equal(run.reports.length, 1);
  await run.clock.advance(SNAPSHOT_GAP_MS);
  assert.equal(run.reports.length, 2);
  const [first, second] = run.reports;
  assert.equal(first?.snapshotId, WALL_MS / 1_000);
  assert.equal((second?.snapshotId ?? 0) > (first?.snapshotId ?? 0), true);
  assert.deepEqual(run.files.efforts, ['rehash']);
});

test('everything is read again from content every 12 hours', async () => {
  await using run = await start({ files: [], packages: [] });
  for (let hour = 0; hour < 12; hour += 1) await run.clock.advance(3_600_000);
  assert.equal(run.files.efforts.filter((effort) => effort === 'rehash').length, 2);
  const rescans = run.files.efforts.filter((effort) => effort === 'rescan').length;
  assert.equal(rescans >= 719 && rescans <= 800, true, `${rescans} rescans`);
});

test('closing ends at once, even while one hangs, and closes all', async () => {
  const hanging = Promise.withResolvers<readonly Finding[]>();
  const run = await start({ files: [], packages: hanging.promise });
  await run[Symbol.asyncDispose]();
  assert.equal(run.files.isClosed && run.packages.isClosed, true);
  assert.equal(run.packages.signal?.aborted, true);
  assert.deepEqual(run.told(), []);
  await run.clock.advance(60_000);
  assert.deepEqual(run.told(), []);
});

test('without fingerprinters there is an empty snapshot', async () => {
  const reports: FingerprintReport[] = [];
  await using fingerprints = openFingerprints({
    fingerprinters: [],
    clock: handClock(),
    random: () => 0.5,
    onReport: (report) => reports.push(report),
    onUnit: () => {},
  });
  assert.equal(fingerprints.itemCount, 0);
  assert.deepEqual(reports[0]?.changes, []);
});

type Plan = readonly Finding[] | string | Promise<readonly Finding[]>;

interface PlannedFingerprinter extends Fingerprinter {
  /** What the next reads do: answer, fail with a code, or wait. */
  findings: Plan;
  tookMs: number;
  isClosed: boolean;
  signal: AbortSignal | undefined;
  readonly efforts: Effort[];
  readonly notice: () => void;
}

function planned(
  clock: HandClock,
  name: string,
  subject: FingerprintSubject,
  findings: Plan,
): PlannedFingerprinter {
  let onNotice = (): void => {};
  const fingerprinter: PlannedFingerprinter = {
    name,
    subject,
    findings,
    tookMs: 0,
    isClosed: false,
    signal: undefined,
    efforts: [],
    notice: () => onNotice(),
    watch: (notice) => {
      onNotice = notice;
    },
    close: () => {
      fingerprinter.isClosed = true;
    },
    read: async (effort, signal) => {
      fingerprinter.efforts.push(effort);
      fingerprinter.signal = signal;
      if (fingerprinter.tookMs > 0) await clock.sleep(fingerprinter.tookMs);
      const plan = fingerprinter.findings;
      if (typeof plan === 'string') throw Object.assign(new Error('planned'), { code: plan });
      return plan;
    },
  };
  return fingerprinter;
}

interface Run extends AsyncDisposable {
  readonly clock: HandClock;
  readonly fingerprints: Fingerprints;
  readonly files: PlannedFingerprinter;
  readonly packages: PlannedFingerprinter;
  readonly reports: readonly FingerprintReport[];
  readonly units: readonly UnitReport[];
  /** Reports since the last call, in short; `?` unreadable, `-` removed. */
  told(): readonly string[];
}

async function start(plans: { readonly files: Plan; readonly packages: Plan }): Promise<Run> {
  const clock = handClock();
  const files = planned(clock, 'files', 'file', plans.files);
  const packages = planned(clock, 'packages', 'package', plans.packages);
  const reports: FingerprintReport[] = [];
  const units: UnitReport[] = [];
  const fingerprints = openFingerprints({
    fingerprinters: [files, packages],
    clock,
    random: () => 0.5,
    onReport: (report) => reports.push(report),
    onUnit: (report) => units.push(report),
    timeLimitMs: 10_000,
  });
  let toldCount = 0;
  await clock.advance(0);
  return {
    clock,
    fingerprints,
    files,
    packages,
    reports,
    units,
    told: () => {
      const fresh = reports.slice(toldCount).map(inShort);
      toldCount = reports.length;
      return fresh;
    },
    [Symbol.asyncDispose]: async () => fingerprints[Symbol.asyncDispose](),
  };
}

function inShort(report: FingerprintReport): string {
  const changes = report.changes.map((change) => {
    if (change.kind === 'present') return `${change.item.subject}:${change.item.name}`;
    return `${change.kind === 'removed' ? '-' : '?'}${change.subject}:${change.name}`;
  });
  return `${report.mode}: ${changes.join(' ')}`;
}

function present(subject: FingerprintSubject, name: string, digest = 'x'): Finding {
  return { kind: 'present', item: { subject, name, digest, facts: {} } };
}

function unreadable(subject: FingerprintSubject, name: string): Finding {
  return { kind: 'unreadable', subject, name, reason: 'permission' };
}

interface HandClock extends Clock {
  /** Runs what falls due, in order, and lets promises settle after each. */
  advance(durationMs: number): Promise<void>;
}

function handClock(): HandClock {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly call: () => void }>();
  const after = (durationMs: number, call: () => void): Timer => {
    const timer = { atMs: nowMs + Math.max(0, durationMs), call };
    timers.add(timer);
    return { cancel: () => void timers.delete(timer) };
  };
  return {
    nowMs: () => WALL_MS + nowMs,
    monotonicMs: () => nowMs,
    after,
    sleep: (durationMs) => new Promise((resolve) => void after(durationMs, resolve)),
    advance: async (durationMs) => {
      const endMs = nowMs + durationMs;
      await settle();
      for (;;) {
        const [next] = [...timers].toSorted((left, right) => left.atMs - right.atMs);
        if (next === undefined || next.atMs > endMs) break;
        timers.delete(next);
        nowMs = next.atMs;
        next.call();
        await settle();
      }
      nowMs = endMs;
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}
