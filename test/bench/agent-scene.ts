// In: the repository.
// Out: a controller with its broker, and agents: bundles, running as they are shipped.
// Never: listens beyond loopback, or leaves a process or a folder behind.

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleAll } from '../../install/bundle.ts';
import { natsServerPath } from '../support/nats-server-path.ts';

/**
 * How an agent is started where it is installed. It does little, and little at a time, so what
 * makes others fast only makes it large: compilers that optimise touch 9 MB of Node's own code. Its
 * memory is tidied after a burst (`tidyMemory`, which needs `--expose-gc`), has ceilings, and does
 * not hold the certificates of all the world's authorities.
 */
export const AGENT_NODE_FLAGS = [
  '--no-opt',
  '--no-maglev',
  '--optimize-for-size',
  '--max-semi-space-size=1',
  '--max-old-space-size=48',
  '--expose-gc',
  '--use-openssl-ca',
] as const;
/** One arena for all threads, and what is freed goes back: malloc of glibc keeps 2 MB otherwise. */
export const AGENT_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
} as const;
const STOP_LIMIT_MS = 6_000;
const LOG_TAIL_LENGTH = 2_000;

export interface AgentScene extends AsyncDisposable {
  readonly brokerUrl: string;
  /**
   * Starts an agent of the whole host that samples every second, with every fingerprinter.
   * @returns its process id
   */
  startAgent(host: string, options: { readonly rescanSeconds: number }): Promise<number>;
  /** Starts a program that ends with the scene. @returns its process id */
  start(program: ProgramSpec): number;
}

export interface ProgramSpec {
  /** Of its log. */
  readonly name: string;
  readonly path: string;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Bundles all programs and starts the controller, which starts its broker; both are up soon after.
 */
export async function openAgentScene(root: string): Promise<AgentScene> {
  const folder = await mkdtemp(join(tmpdir(), 'foreshadow-bench-'));
  const programs = join(folder, 'dist');
  await bundleAll({ root, folder: programs });
  const children: ChildProcess[] = [];
  const start = (program: ProgramSpec): number => startProgram(program, { folder, children });
  const configure = async (name: string, config: object): Promise<string> => {
    const path = join(folder, `${name}.yaml`);
    await writeFile(path, JSON.stringify(config)); // JSON is YAML.
    return path;
  };
  const ports = { api: await freePort(), control: await freePort(), broker: await freePort() };
  const brokerUrl = `nats://127.0.0.1:${ports.broker}`;
  const keyFile = join(folder, 'fingerprint.key');
  await writeFile(keyFile, randomBytes(32).toString('hex'), { mode: 0o600 });
  const controllerConfig = await configure('controller', {
    stateFolder: join(folder, 'controller'),
    api: { port: ports.api },
    control: { port: ports.control },
    broker: { port: ports.broker, binary: natsServerPath() },
  });
  const controller = join(programs, 'foreshadow-controller.mjs');
  const words = [controller, '--config', controllerConfig];
  start({ name: 'controller', path: process.execPath, words });
  return {
    brokerUrl,
    start,
    startAgent: async (host, { rescanSeconds }) => {
      const config = await configure(host, {
        host,
        role: 'production',
        stateFolder: join(folder, host),
        controller: { address: `127.0.0.1:${ports.control}` },
        broker: { servers: [brokerUrl] },
        sampling: { intervalMs: 1_000 },
        fingerprints: { keyFile, rescanSeconds },
        actuator: { socket: join(folder, 'actuator.sock') },
      });
      const agent = join(programs, 'foreshadow-agent.mjs');
      return start({
        name: host,
        path: process.execPath,
        words: [...AGENT_NODE_FLAGS, agent, '--config', config],
        environment: AGENT_ENVIRONMENT,
      });
    },
    [Symbol.asyncDispose]: async () => {
      for (let child = children.pop(); child !== undefined; child = children.pop())
        await stop(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startProgram(
  { name, path, words, environment }: ProgramSpec,
  { folder, children }: { readonly folder: string; readonly children: ChildProcess[] },
): number {
  const logPath = join(folder, `${name}.log`);
  const log = openSync(logPath, 'a', 0o600);
  const child = spawn(path, words, {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...environment },
  });
  closeSync(log);
  children.push(child);
  child.once('exit', (code, signal) => {
    if (!children.includes(child)) return; // It was told to end.
    const tail = readFileSync(logPath, 'utf8').slice(-LOG_TAIL_LENGTH);
    process.stderr.write(`${name} ended by itself, ${code ?? signal}; its log ends:\n${tail}\n`);
  });
  if (child.pid === undefined) throw new Error(`${path} could not be started`);
  return child.pid;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen({ host: '127.0.0.1', port: 0 }, listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  return port;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await promise;
  clearTimeout(timer);
}
