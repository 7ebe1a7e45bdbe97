// In: nothing. Out: the stage of `foreshadow dev` in a folder and on ports of its own, for tests.
// Never: leaves a process or a folder behind; a failure carries the last lines of every log.

import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStage, type Stage } from '@foreshadow/cli/dev/stage.ts';
import { newIdentifier, systemClock } from '@foreshadow/runtime';
import { natsServerPath } from './nats-server-path.ts';

export const STAGE_INTERVAL_MS = 1_000;
const LOG_LINES_SHOWN = 12;
// Below the ports that the kernel gives out by itself; files of tests are processes of their own.
const PORTS_FIRST = 20_000;
const PORT_GROUPS = 2_000;
const PORTS_PER_STAGE = 5;

export interface SceneOptions {
  readonly shadowRate: number;
  /** What waits on the stage gives up then, so that everything is ended in order. */
  readonly limitMs: number;
  readonly say?: (line: string) => void;
}

/** Plays on a stage that is ended and removed afterwards. */
export async function withStage(
  options: SceneOptions,
  play: (stage: Stage, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'foreshadow-stage-'));
  try {
    await using stage = await openStage(
      {
        folder,
        port: PORTS_FIRST + (process.pid % PORT_GROUPS) * PORTS_PER_STAGE,
        intervalMs: STAGE_INTERVAL_MS,
        natsServer: natsServerPath(),
        shadowRate: options.shadowRate,
        clock: systemClock,
        newIdentifier,
        environment: process.env,
        say: options.say ?? (() => undefined),
      },
      AbortSignal.timeout(options.limitMs),
    );
    await play(stage, folder);
  } catch (cause) {
    throw new Error(`the stage failed; its logs end so:\n${await logsOf(folder)}`, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function logsOf(folder: string): Promise<string> {
  const names = await readdir(join(folder, 'log'));
  const ends = await Promise.all(
    names.map(async (name) => {
      const lines = (await readFile(join(folder, 'log', name), 'utf8')).trimEnd().split('\n');
      return `── ${name}\n${lines.slice(-LOG_LINES_SHOWN).join('\n')}`;
    }),
  );
  return ends.join('\n');
}
