// In: a stage. Out: the whole loop played once: an edit, its effect, the restore, recovery; each
// step with its duration.
// Never: lets a step count that did not happen, or does what the loop should do by itself.

import { readFile, writeFile } from 'node:fs/promises';
import type { Client } from '@foreshadow/client';
import type { Incident } from '@foreshadow/model';
import { CodedError, type Clock } from '@foreshadow/runtime';
import { subscribeForeign, type ForeignSubscriber } from './foreign-subscriber.ts';
import { LOGICAL_CONFIG, SERVICE_CONFIG } from './layout.ts';
import type { Stage } from './stage.ts';

export const DRIFT_INTERVALS_MAX = 3;
export const DIVERGED_INTERVALS_MAX = 8;
const START_LIMIT_MS = 60_000;
const STEP_LIMIT_MS = 60_000;
/** What the edit makes of a request's CPU. */
const EDIT_FACTOR = 5;

export interface Step {
  readonly name: string;
  /** Since the step before; for `afterEditIntervals`, see there. */
  readonly durationMs: number;
  /** Sampling intervals since the edit; only where a number of them was promised. */
  readonly afterEditIntervals?: number;
  readonly intervalsMax?: number;
}

export interface StoryOptions {
  readonly stage: Stage;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly onStep: (step: Step) => void;
}

/**
 * @throws CodedError STAGE_TIMEOUT or STORY_TOO_SLOW for the first step that did not happen as
 * promised
 */
export async function playStory(options: StoryOptions): Promise<readonly Step[]> {
  const { stage, clock } = options;
  const steps: Step[] = [];
  const startedMs = clock.nowMs();
  let lastMs = clock.monotonicMs();
  let editedMs = 0;
  const step = (name: string, intervalsMax?: number): void => {
    const nowMs = clock.monotonicMs();
    const promised =
      intervalsMax === undefined
        ? {}
        : { intervalsMax, afterEditIntervals: (nowMs - editedMs) / options.intervalMs };
    const done = { name, durationMs: nowMs - lastMs, ...promised };
    lastMs = nowMs;
    steps.push(done);
    options.onStep(done);
  };
  using foreign = subscribeForeign(stage.layout.brokerPort);

  const state = await stage.until('the pair', START_LIMIT_MS, () => stage.pair());
  step(`pair ${state.pair.id} formed from two connected hosts`);
  await stage.markKnownGood();
  step('what both hosts have now is marked as known good');
  await untilStatus(stage, 'aligned');
  step('verdict aligned: the same load, the same configuration, the same behaviour');

  const path = stage.layout.hosts.shadow.serviceConfigPath;
  const before = await readFile(path, 'utf8');
  await writeFile(path, edited());
  editedMs = clock.monotonicMs();
  lastMs = editedMs;
  const incident = await stage.until('a drift incident', STEP_LIMIT_MS, () =>
    driftIncident(stage, startedMs),
  );
  step(`drift incident ${incident.id} names ${LOGICAL_CONFIG}`, DRIFT_INTERVALS_MAX);
  // The restore may follow so fast that a question once in 100 ms would miss the verdict; its event
  // stays.
  await stage.until('the verdict diverged', STEP_LIMIT_MS, async () =>
    foreign.events.find(({ type }) => type === 'com.foreshadow.verdict.diverged.v1'),
  );
  step('verdict diverged: the edit shows in what the shadow uses', DIVERGED_INTERVALS_MAX);
  const command = await stage.until('the restore', STEP_LIMIT_MS, () =>
    restoreCommand(stage.client, startedMs),
  );
  step(`restore ${command} done by the shadow's actuator`);
  if ((await readFile(path, 'utf8')) !== before)
    throw new CodedError('STORY_FAILED', `${path} is not what it was before the edit`);
  await untilStatus(stage, 'aligned');
  await stage.until('all incidents to close', STEP_LIMIT_MS, async () =>
    (await stage.client.incidents({ state: 'open' })).items.length === 0 ? true : undefined,
  );
  step('verdict aligned again, incidents closed');
  await stage.until('all events at the foreign subscriber', STEP_LIMIT_MS, async () =>
    missingEvents(foreign).length === 0 ? true : undefined,
  );
  step(`a foreign NATS subscriber has read it all: ${foreign.events.length} events`);
  requirePromises(steps);
  return steps;
}

function edited(): string {
  const config = { ...SERVICE_CONFIG, hashRounds: SERVICE_CONFIG.hashRounds * EDIT_FACTOR };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

async function untilStatus(stage: Stage, status: string): Promise<void> {
  await stage.until(`the verdict ${status}`, STEP_LIMIT_MS, async () =>
    (await stage.pair())?.verdict?.status === status ? true : undefined,
  );
}

/** Those of before are of another run in the same folder. */
async function driftIncident(stage: Stage, sinceMs: number): Promise<Incident | undefined> {
  const { items } = await stage.client.incidents();
  return items.find(
    ({ kind, drift, openedMs }) =>
      openedMs >= sinceMs &&
      kind === 'drift' &&
      drift?.name === LOGICAL_CONFIG &&
      drift.changedSide === 'shadow',
  );
}

/** The restore done since then, by its id. @throws CodedError STORY_FAILED for another end */
export async function restoreCommand(
  client: Pick<Client, 'commands'>,
  sinceMs: number,
): Promise<string | undefined> {
  const { items } = await client.commands();
  const record = items.find(
    ({ command, sentMs }) => command.order.kind === 'restore' && sentMs >= sinceMs,
  );
  if (record?.outcome !== undefined && record.outcome.kind !== 'done') {
    throw new CodedError(
      'STORY_FAILED',
      `the restore was ${record.outcome.kind}: ${record.outcome.sentence}`,
    );
  }
  return record?.outcome?.kind === 'done' ? record.command.id : undefined;
}

function missingEvents(foreign: ForeignSubscriber): readonly string[] {
  const wanted = [
    'drift.appeared',
    'incident.opened',
    'verdict.diverged',
    'decision.restore',
    'command.sent',
    'command.done',
    'drift.gone',
    'verdict.aligned',
  ];
  return wanted.filter(
    (name) => !foreign.events.some(({ type }) => type === `com.foreshadow.${name}.v1`),
  );
}

/** @throws CodedError STORY_TOO_SLOW for the first step that came later than promised */
export function requirePromises(steps: readonly Step[]): void {
  for (const { name, afterEditIntervals, intervalsMax } of steps) {
    if (
      afterEditIntervals === undefined ||
      intervalsMax === undefined ||
      afterEditIntervals <= intervalsMax
    )
      continue;
    throw new CodedError(
      'STORY_TOO_SLOW',
      `${name}: ${afterEditIntervals.toFixed(1)} intervals after the edit, promised ${intervalsMax}`,
    );
  }
}
