// In: what a test wants of its configuration. Out: a controller as a process, with its own broker.
// Never: leaves a process, a port or a folder behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '@foreshadow/client';
import { systemClock } from '@foreshadow/runtime';
import { findFreePort } from './nats-process.ts';
import { natsServerPath } from './nats-server-path.ts';
import { until } from './until.ts';

const MAIN = join(import.meta.dirname, '../../controller/src/main.ts');
const STOP_LIMIT_MS = 15_000;

export interface ControllerProcess extends AsyncDisposable {
  readonly client: Client;
  readonly controlAddress: string;
  readonly brokerUrl: string;
  readonly processId: number;
  /** False as soon as it has ended. */
  readonly isRunning: boolean;
  /** What it has written to stderr. */
  readonly log: string;
  /** Value of one line of /metrics, such as `foreshadow_x_total{code="Y"}`; 0 where absent. */
  metric(line: string): Promise<number>;
}

/** Returns when it is ready. */
export async function openControllerProcess(): Promise<ControllerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'foreshadow-controller-'));
  const [api, control, broker] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const config = {
    stateFolder: join(folder, 'state'),
    api: { port: api },
    control: { port: control },
    broker: { port: broker, binary: natsServerPath() },
    judging: { intervalMs: 1_000 },
  };
  const configPath = join(folder, 'controller.yaml');
  await writeFile(configPath, JSON.stringify(config)); // YAML contains JSON.
  const child = spawn(process.execPath, [MAIN, '--config', configPath], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exit = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => void (log += chunk.toString()));
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const url = `http://127.0.0.1:${api}`;
  const client = createClient({ url, clock: systemClock });
  await until('the controller to be ready', async () => {
    if (!isRunning()) throw new Error(`the controller ended: ${log}`);
    const answer = await client.readiness().catch(() => undefined);
    return answer?.isOk === true ? true : undefined;
  });
  return {
    client,
    controlAddress: `127.0.0.1:${control}`,
    brokerUrl: `nats://127.0.0.1:${broker}`,
    processId: child.pid ?? 0,
    get isRunning() {
      return isRunning();
    },
    get log() {
      return log;
    },
    metric: async (line) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const found = text.split('\n').find((candidate) => candidate.startsWith(`${line} `));
      return Number(found?.slice(line.length) ?? 0);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      const timer = systemClock.after(STOP_LIMIT_MS, () => child.kill('SIGKILL'));
      await exit;
      timer.cancel();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
