// In: programs to run. Out: the same, running: one that ends is started again, as systemd would.
// Never: leaves one behind: closing ends them all, in the mirrored order, and waits.

import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Clock } from '@foreshadow/runtime';

export const RESTART_WAIT_MS = 300;
export const RESTARTS_MAX = 200;
/** So many ends within so long are no accident: a person is told why. */
export const ENDS_AGAIN_COUNT = 5;
export const ENDS_AGAIN_WINDOW_MS = 10_000;
const LINE_LENGTH_MAX = 400;
const STOP_LIMIT_MS = 6_000;

export interface ProgramSpec {
  readonly name: string;
  /** Arguments of Node. */
  readonly arguments: readonly string[];
  readonly logPath: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Processes extends AsyncDisposable {
  start(spec: ProgramSpec): void;
  /** Present while it runs. */
  processId(name: string): number | undefined;
  restartCount(name: string): number;
}

interface Running {
  readonly spec: ProgramSpec;
  readonly log: WriteStream;
  child: ChildProcess | undefined;
  restartCount: number;
  /** The newest of its ends, by the monotonic clock. */
  readonly endsMs: number[];
  lastLine: string;
  hasToldWhy: boolean;
}

/** @param onRestart tells a person that a program ended by itself */
export function createProcesses(options: {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onRestart: (name: string, how: string) => void;
}): Processes {
  const running: Running[] = [];
  let isClosing = false;

  const launch = (entry: Running): void => {
    const { spec } = entry;
    const child = spawn(process.execPath, [...spec.arguments], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...options.environment, ...spec.environment },
      detached: true, // Ctrl-C reaches this process alone, which then ends the others in order.
    });
    entry.child = child;
    child.stdout?.pipe(entry.log, { end: false });
    child.stderr?.pipe(entry.log, { end: false });
    child.stderr?.on('data', (bytes: Buffer) => {
      const line = bytes.toString().trim().split('\n').at(-1);
      entry.lastLine = (line || entry.lastLine).slice(0, LINE_LENGTH_MAX);
    });
    child.once('exit', (code, signal) => {
      entry.child = undefined;
      if (isClosing || entry.restartCount >= RESTARTS_MAX) return;
      entry.restartCount += 1;
      const how = `exit ${code ?? signal ?? 'unknown'}`;
      options.onRestart(
        spec.name,
        endsAgainAndAgain(entry, options.clock.monotonicMs()) ? `${how}: ${entry.lastLine}` : how,
      );
      options.clock.after(RESTART_WAIT_MS, () => {
        if (!isClosing) launch(entry);
      });
    });
  };

  return {
    start: (spec) => {
      const entry: Running = {
        spec,
        log: createWriteStream(spec.logPath, { flags: 'a' }),
        child: undefined,
        restartCount: 0,
        endsMs: [],
        lastLine: '',
        hasToldWhy: false,
      };
      running.push(entry);
      launch(entry);
    },
    processId: (name) => running.find((entry) => entry.spec.name === name)?.child?.pid,
    restartCount: (name) => running.find((entry) => entry.spec.name === name)?.restartCount ?? 0,
    [Symbol.asyncDispose]: async () => {
      isClosing = true;
      for (const entry of running.toReversed()) {
        if (entry.child !== undefined) await stop(entry.child, options.clock);
        entry.log.end();
      }
    },
  };
}

/** @returns true once a program: the fifth time that it ends within ten seconds */
function endsAgainAndAgain(entry: Running, nowMs: number): boolean {
  entry.endsMs.push(nowMs);
  if (entry.endsMs.length > ENDS_AGAIN_COUNT) entry.endsMs.shift();
  const [first = nowMs] = entry.endsMs;
  const isOften = entry.endsMs.length === ENDS_AGAIN_COUNT && nowMs - first <= ENDS_AGAIN_WINDOW_MS;
  if (!isOften || entry.hasToldWhy || entry.lastLine === '') return false;
  entry.hasToldWhy = true;
  return true;
}

async function stop(child: ChildProcess, clock: Clock): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.kill('SIGTERM');
  const timer = clock.after(STOP_LIMIT_MS, () => child.kill('SIGKILL'));
  await promise;
  timer.cancel();
}
