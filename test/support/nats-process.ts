// In: a port and lines of configuration. Out: a nats-server of a test, as a process of its own.
// Never: leaves it or its folder behind.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { natsServerPath } from './nats-server-path.ts';

const LISTEN_LIMIT_MS = 10_000;
const POLL_MS = 20;

export interface NatsProcess extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Stops answering without closing anything, as a machine that hangs does. */
  freeze(): void;
  /** After `kill`: the same port and files. */
  start(): Promise<void>;
}

/** A port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A TCP listener's address is never a path.
  server.close();
  await once(server, 'close');
  return port;
}

/** @param lines added to the configuration; JetStream is on unless `hasJetStream` is false */
export async function openNatsProcess(
  options: { readonly hasJetStream?: boolean; readonly lines?: readonly string[] } = {},
): Promise<NatsProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'foreshadow-nats-'));
  const port = await findFreePort();
  const configPath = join(folder, 'nats.conf');
  const jetstream = `jetstream { store_dir: ${JSON.stringify(join(folder, 'jetstream'))} }`;
  const lines = [
    `listen: "127.0.0.1:${port}"`,
    ...(options.hasJetStream === false ? [] : [jetstream]),
    ...(options.lines ?? []),
  ];
  await writeFile(configPath, `${lines.join('\n')}\n`);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(natsServerPath(), ['--config', configPath], { stdio: 'ignore' });
    const deadlineMs = performance.now() + LISTEN_LIMIT_MS;
    while (!(await isListening(port))) {
      if (performance.now() > deadlineMs) throw new Error(`nats-server not on port ${port}`);
      await sleep(POLL_MS);
    }
  };
  const kill = async (): Promise<void> => {
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    child = undefined;
    await exit;
  };
  await start();
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    start,
    [Symbol.asyncDispose]: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
