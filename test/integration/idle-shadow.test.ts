// What the verdict says of real services over time: nothing of a shadow without load, and nothing
// but `aligned` of two that do the same. `npm run record:aligned` does the latter for ten minutes
// and keeps the result.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { LOAD_RATE, type Stage } from '@foreshadow/cli/dev/stage.ts';
import type { Verdict } from '@foreshadow/model';
import { systemClock } from '@foreshadow/runtime';
import { STAGE_INTERVAL_MS, withStage } from '../support/stage-scene.ts';

const IDLE_SECONDS = 30;
const ALIGNED_SECONDS = Number(process.env['FORESHADOW_ALIGNED_SECONDS'] ?? 60);
/** To start everything, and to have a first verdict. */
const START_LIMIT_MS = 60_000;
const SECOND_MS = 1_000;
const POLL_MS = STAGE_INTERVAL_MS / 4;

interface Watched {
  /** Evaluations that were seen, by `status: REASON`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly evaluationCount: number;
  /** One sentence of each kind other than the first. */
  readonly others: readonly string[];
}

test(
  'an idle shadow beside a busy production is not judged by its behaviour',
  { timeout: START_LIMIT_MS * 2 + IDLE_SECONDS * SECOND_MS },
  async (t) => {
    const limitMs = START_LIMIT_MS + IDLE_SECONDS * SECOND_MS;
    await withStage({ shadowRate: 0, limitMs }, async (stage) => {
      const kind = 'inconclusive: LOAD_NOT_COMPARABLE';
      await untilKind(stage, kind);
      const { counts, evaluationCount, others } = await watch(stage, IDLE_SECONDS);
      t.diagnostic(`${evaluationCount} evaluations: ${JSON.stringify(counts)}`);
      assert.deepEqual(Object.keys(counts), [kind], others.join('\n'));
      const { items } = await stage.client.incidents();
      assert.deepEqual(items, [], 'no incident follows from what is not known');
    });
  },
);

test(
  'two services under the same load stay aligned',
  { timeout: START_LIMIT_MS * 2 + ALIGNED_SECONDS * SECOND_MS },
  async (t) => {
    const limitMs = START_LIMIT_MS + ALIGNED_SECONDS * SECOND_MS;
    await withStage({ shadowRate: LOAD_RATE, limitMs }, async (stage) => {
      const kind = 'aligned: WITHIN_LIMITS';
      await untilKind(stage, kind);
      const watched = await watch(stage, ALIGNED_SECONDS);
      t.diagnostic(`${watched.evaluationCount} evaluations: ${JSON.stringify(watched.counts)}`);
      await record(watched);
      assert.deepEqual(Object.keys(watched.counts), [kind], watched.others.join('\n'));
      assert.ok(watched.evaluationCount >= ALIGNED_SECONDS / 2, 'it was judged all the time');
    });
  },
);

function kindOf({ status, reason }: Verdict): string {
  return `${status}: ${reason}`;
}

async function untilKind(stage: Stage, kind: string): Promise<void> {
  await stage.until(kind, START_LIMIT_MS, async () => {
    const verdict = (await stage.pair())?.verdict;
    return verdict !== undefined && kindOf(verdict) === kind ? true : undefined;
  });
}

/** Counts each evaluation once. */
async function watch(stage: Stage, seconds: number): Promise<Watched> {
  const counts: Record<string, number> = {};
  const others: string[] = [];
  let evaluationCount = 0;
  let lastMs = 0;
  const endMs = systemClock.monotonicMs() + seconds * SECOND_MS;
  while (systemClock.monotonicMs() < endMs) {
    const verdict = (await stage.pair())?.verdict;
    if (verdict !== undefined && verdict.atMs !== lastMs) {
      const kind = kindOf(verdict);
      if (counts[kind] === undefined && evaluationCount > 0) others.push(verdict.sentence);
      counts[kind] = (counts[kind] ?? 0) + 1;
      evaluationCount += 1;
      lastMs = verdict.atMs;
    }
    await systemClock.sleep(POLL_MS);
  }
  return { counts, evaluationCount, others };
}

/** Only where a path is given: the recorded run. */
async function record({ counts, evaluationCount, others }: Watched): Promise<void> {
  const name = process.env['FORESHADOW_RECORD'];
  if (name === undefined) return;
  const cwd = import.meta.dirname;
  const { stdout } = await promisify(execFile)(
    'git',
    ['describe', '--always', '--dirty', '--abbrev=40'],
    { cwd },
  );
  const result = {
    what: 'verdicts of two services under the same load, from the first aligned one on',
    date: new Date(systemClock.nowMs()).toISOString(),
    commit: stdout.trim(),
    seconds: ALIGNED_SECONDS,
    intervalMs: STAGE_INTERVAL_MS,
    evaluationCount,
    counts,
    others,
  };
  const path = join(cwd, '..', '..', name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(result, undefined, 2)}\n`);
}
