// The quickstart's story, with every program, the broker and the store as they are.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOGICAL_CONFIG } from '@foreshadow/cli/dev/layout.ts';
import { LOAD_RATE } from '@foreshadow/cli/dev/stage.ts';
import { playStory } from '@foreshadow/cli/dev/story.ts';
import { cloudEventSchema, type CloudEvent, type Drift } from '@foreshadow/model';
import { checkValue, systemClock } from '@foreshadow/runtime';
import { readEventStream } from '../support/event-stream-reader.ts';
import { STAGE_INTERVAL_MS, withStage } from '../support/stage-scene.ts';

const STORY_LIMIT_MS = 180_000;

test(
  'an edit of the shadow is named, measured, undone and told, in time and in order',
  { timeout: STORY_LIMIT_MS + 30_000 },
  async (t) => {
    await withStage({ shadowRate: LOAD_RATE, limitMs: STORY_LIMIT_MS }, async (stage) => {
      const steps = await playStory({
        stage,
        intervalMs: STAGE_INTERVAL_MS,
        clock: systemClock,
        onStep: ({ name, durationMs, afterEditIntervals }) =>
          t.diagnostic(
            `${(durationMs / 1_000).toFixed(1)} s ${name}` +
              (afterEditIntervals === undefined
                ? ''
                : ` (${afterEditIntervals.toFixed(1)} intervals after the edit)`),
          ),
      });
      assert.deepEqual(
        steps.flatMap(({ intervalsMax }) => intervalsMax ?? []),
        [3, 8],
        'the drift and the verdict are the steps that have a promise',
      );

      const events = await readEventStream(stage.layout.brokerPort);
      t.diagnostic(`${events.length} events read back from the stream`);
      requireWellFormed(events);
      requireOrder(events, [
        'drift.appeared',
        'verdict.diverged',
        'decision.restore',
        'command.sent',
        'command.done',
        'drift.gone',
      ]);
      const appeared = events.find(({ type }) => type === typeOf('drift.appeared'));
      const drift = appeared?.data as Drift | undefined; // The family says so.
      assert.equal(drift?.name, LOGICAL_CONFIG);
    });
  },
);

function typeOf(name: string): string {
  return `com.foreshadow.${name}.v1`;
}

function requireWellFormed(events: readonly CloudEvent[]): void {
  for (const event of events) assert.deepEqual(checkValue(cloudEventSchema, event).mistakes, []);
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length, 'no event is told twice');
}

/** Others may stand between them. */
function requireOrder(events: readonly CloudEvent[], names: readonly string[]): void {
  let place = -1;
  for (const name of names) {
    const next = events.findIndex(({ type }, index) => index > place && type === typeOf(name));
    const told = events.map(({ type }) => type.split('.').slice(2, 4).join('.')).join(', ');
    assert.notEqual(
      next,
      -1,
      `${name} comes after what ${names.join(', ')} has before it: ${told}`,
    );
    place = next;
  }
}
