// Every process is killed again and again, at moments that a seed chooses. The loop comes back by
// itself, and nothing that the store has acknowledged is lost or kept twice.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sides } from '@foreshadow/cli/dev/layout.ts';
import { LOAD_RATE, type Stage } from '@foreshadow/cli/dev/stage.ts';
import { parseHostId, type CloudEvent, type HostId } from '@foreshadow/model';
import { codeOf, seededRandom, systemClock, type Random } from '@foreshadow/runtime';
import { readEventStream } from '../support/event-stream-reader.ts';
import {
  checkKept,
  noteLastKept,
  readSpool,
  spoolFiles,
  type LastKept,
} from '../support/kept-check.ts';
import { createRestoreHelm, type RestoreHelm } from '../support/restore-helm.ts';
import { withStage } from '../support/stage-scene.ts';

const SEED = Number(process.env['FORESHADOW_SEED'] ?? randomInt(2 ** 31));
const killCounts = {
  'nats-server': 20,
  controller: 20,
  'agent-production': 10,
  'agent-shadow': 10,
  'actuator-shadow': 20,
} as const;
type Target = keyof typeof killCounts;

const RECOVERY_MS_MAX = 15_000;
const START_LIMIT_MS = 60_000;
const ALL_LIMIT_MS = 540_000;
/** A kill comes at any moment of a sampling interval, or while a restore is under way. */
const SPREAD_MS = 1_000;
const RESTORE_SPREAD_MS = 60;

interface Kill {
  readonly target: Target;
  readonly waitMs: number;
  readonly isDuringRestore: boolean;
}

test(
  'the loop comes back from any kill, and keeps each batch once',
  { timeout: ALL_LIMIT_MS + 30_000 },
  async (t) => {
    t.diagnostic(`seed ${SEED}; FORESHADOW_SEED repeats it`);
    await withStage({ shadowRate: LOAD_RATE, limitMs: ALL_LIMIT_MS }, async (stage, folder) => {
      await untilLoopIsWhole(stage, { sinceMs: 0, limitMs: START_LIMIT_MS });
      await stage.markKnownGood();
      const helm = createRestoreHelm(stage);
      const lastKept: LastKept = new Map();
      const recoveryMs = new Map<Target, number[]>();
      for (const kill of planKills(seededRandom(SEED))) {
        const tookMs = await play(kill, { stage, helm, lastKept });
        recoveryMs.set(kill.target, [...(recoveryMs.get(kill.target) ?? []), tookMs]);
      }
      for (const [target, times] of recoveryMs) t.diagnostic(`${target}: ${summary(times)}`);

      await untilBacklogIsKept(stage);
      const events = await readEventStream(stage.layout.brokerPort);
      t.diagnostic(`verdicts told: ${JSON.stringify(countVerdicts(events))}`);
      await stage[Symbol.asyncDispose](); // In order, so that the store can be opened here.
      const facts = await checkKept({
        storePath: join(folder, 'controller', 'state', 'store'),
        spools: new Map(sides.map((side) => [hostIdOf(stage, side), spoolFolder(stage, side)])),
        lastKept,
        events,
      });
      t.diagnostic(JSON.stringify(facts));
      assert.equal(facts.boots, 2 + killCounts['agent-production'] + killCounts['agent-shadow']);
    });
  },
);

function planKills(random: Random): readonly Kill[] {
  const targets = Object.keys(killCounts) as Target[]; // Object.keys forgets the literal types.
  return targets
    .flatMap((target) =>
      Array.from({ length: killCounts[target] }, (_, index) => {
        const isDuringRestore = index % 2 === 0;
        const waitMs = random() * (isDuringRestore ? RESTORE_SPREAD_MS : SPREAD_MS);
        return { order: random(), kill: { target, waitMs, isDuringRestore } };
      }),
    )
    .toSorted((left, right) => left.order - right.order)
    .map(({ kill }) => kill);
}

/** @returns how long the loop was not whole, ms */
async function play(
  { target, waitMs, isDuringRestore }: Kill,
  {
    stage,
    helm,
    lastKept,
  }: { readonly stage: Stage; readonly helm: RestoreHelm; readonly lastKept: LastKept },
): Promise<number> {
  let ordered: Promise<unknown> = Promise.resolve();
  if (isDuringRestore) {
    helm.edit();
    ordered = helm.order().catch((error: unknown) => assert.notEqual(codeOf(error), 'UNEXPECTED'));
  }
  await systemClock.sleep(waitMs);
  process.kill(processIdOf(stage, target), 'SIGKILL');
  const killedMs = systemClock.nowMs();
  if (target === 'agent-production')
    noteLastKept(lastKept, readSpool(spoolFolder(stage, 'production')));
  if (target === 'agent-shadow') noteLastKept(lastKept, readSpool(spoolFolder(stage, 'shadow')));
  await ordered;
  if (target === 'actuator-shadow') {
    await helm.untilRestored(RECOVERY_MS_MAX);
    helm.edit(); // What was under way may have ended before the kill.
    await helm.untilRestored(RECOVERY_MS_MAX);
    return systemClock.nowMs() - killedMs;
  }
  await untilLoopIsWhole(stage, { sinceMs: killedMs, limitMs: RECOVERY_MS_MAX });
  const tookMs = systemClock.nowMs() - killedMs;
  await helm.untilRestored(RECOVERY_MS_MAX);
  return tookMs;
}

/** Both agents are connected, and a verdict looks at samples that both took since then. */
async function untilLoopIsWhole(
  stage: Stage,
  { sinceMs, limitMs }: { readonly sinceMs: number; readonly limitMs: number },
): Promise<void> {
  await stage.until('verdicts on fresh samples', limitMs, async () => {
    const state = await stage.pair();
    if (state?.verdict === undefined || state.verdict.atMs <= sinceMs) return undefined;
    if (['STALE', 'NO_SAMPLES'].includes(state.verdict.reason)) return undefined;
    const { newestMs = 0, stepMs } = await stage.client.deviation(state.pair.id);
    const hosts = (await stage.client.hosts()).items;
    // Samples stand in the middle of their cells.
    const isFresh = newestMs - stepMs / 2 > sinceMs;
    return isFresh && hosts.every(({ isConnected }) => isConnected) ? true : undefined;
  });
}

/** A spool drops a file of an earlier run when the controller holds all of it. */
async function untilBacklogIsKept(stage: Stage): Promise<void> {
  await stage.until('the backlog to be kept', RECOVERY_MS_MAX, async () =>
    sides.every((side) => spoolFiles(spoolFolder(stage, side)).length === 1) ? true : undefined,
  );
}

function processIdOf(stage: Stage, target: Target): number {
  const pid =
    target === 'nats-server'
      ? natsServerPid(stage.layout.folder)
      : stage.processes.processId(target);
  assert.ok(pid !== undefined, `${target} runs`);
  return pid;
}

/**
 * The number in the file might be of a process that is gone: only a server with our configuration
 * is killed.
 */
function natsServerPid(folder: string): number {
  const broker = join(folder, 'controller', 'state', 'broker');
  const pid = Number(readFileSync(join(broker, 'nats-server.pid'), 'utf8'));
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  assert.ok(words.includes(join(broker, 'nats-server.conf')));
  return pid;
}

function spoolFolder(stage: Stage, side: (typeof sides)[number]): string {
  return join(stage.layout.folder, side, 'agent', 'spool');
}

function hostIdOf(stage: Stage, side: (typeof sides)[number]): HostId {
  const id = parseHostId(stage.layout.hosts[side].id);
  assert.ok(id !== undefined);
  return id;
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): string =>
    ((sorted[Math.ceil(share * sorted.length) - 1] ?? NaN) / 1_000).toFixed(1);
  return `${sorted.length} kills, recovered in p50 ${at(0.5)} s, p99 ${at(0.99)} s`;
}

function countVerdicts(events: readonly CloudEvent[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { type } of events) {
    const status = /^com\.foreshadow\.verdict\.(\w+)\./.exec(type)?.[1];
    if (status !== undefined) counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}
