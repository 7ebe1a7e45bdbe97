// In: a folder, a port and where to look for the program.
// Out: a nats-server of our own that runs until it is closed.
// Never: touches a nats-server that it did not start.

import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import {
  CodedError,
  backoffMs,
  codeOf,
  requireLoopback,
  type Clock,
  type Disk,
  type Logger,
  type Random,
  type Timer,
} from '@foreshadow/runtime';

export const READY_LIMIT_MS = 10_000;
const READY_POLL_MS = 50;
const STOP_LIMIT_MS = 3_000;
const RESTART_FIRST_MS = 200;
const RESTART_MAX_MS = 5_000;
/**
 * A run that lasted this long was a good one: the next restart begins with the shortest wait again.
 */
const RUN_GOOD_MS = 30_000;
const LOG_LINE_LENGTH_MAX = 500;
const CMDLINE_BYTES_MAX = 4_096;
export const JETSTREAM_FILE_BYTES_MAX = 1024 ** 3;
export const JETSTREAM_MEMORY_BYTES_MAX = 64 * 1024 * 1024;

export interface NatsServerOptions {
  /** Candidates for the program, first found wins. */
  readonly binaries: readonly string[];
  readonly host: string;
  readonly port: number;
  /** Configuration, pid file and JetStream's files. */
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  /** Present while it runs. */
  readonly processId: number | undefined;
  /** Times that it had to be started again. */
  readonly restartCount: number;
}

/** @throws CodedError NATS_SERVER_MISSING, NATS_SERVER_NOT_READY, PORT_IN_USE, NOT_LOOPBACK */
export async function openNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  requireLoopback('broker.host', options.host);
  const binary = findBinary(options.binaries);
  await options.disk.makeFolder(options.folder);
  const configPath = join(options.folder, 'nats-server.conf');
  await options.disk.replace(configPath, Buffer.from(configuration(options)));
  const supervisor = new Supervisor(options, { binary, configPath });
  await supervisor.endOrphan();
  await requireFreePort(options);
  await supervisor.start();
  return supervisor;
}

function findBinary(binaries: readonly string[]): string {
  for (const path of binaries) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if (!['ENOENT', 'EACCES', 'ENOTDIR'].includes(codeOf(error))) throw error;
    }
  }
  const advice =
    'install it (apt-get install nats-server), set broker.binary, or set broker.url to a server that runs';
  throw new CodedError(
    'NATS_SERVER_MISSING',
    `no nats-server among ${binaries.join(', ')}; ${advice}`,
  );
}

/** Only keys that nats-server 2.9 knows; it refuses to start on others. */
function configuration({ host, port, folder }: NatsServerOptions): string {
  return [
    '# Written by foreshadow-controller at each start; changes here are lost.',
    `listen: "${host}:${port}"`,
    'server_name: "foreshadow"',
    'max_payload: 1MB',
    'max_connections: 20000',
    'write_deadline: "10s"',
    `pid_file: ${JSON.stringify(join(folder, 'nats-server.pid'))}`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(join(folder, 'jetstream'))}`,
    `  max_memory_store: ${JETSTREAM_MEMORY_BYTES_MAX}`,
    `  max_file_store: ${JETSTREAM_FILE_BYTES_MAX}`,
    '}',
    '',
  ].join('\n');
}

async function requireFreePort({ host, port }: NatsServerOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const probe = createServer();
  probe.once('error', (cause) => {
    const message = `broker.port: ${host}:${port} is in use; stop the program that listens there, or choose another port`;
    reject(new CodedError('PORT_IN_USE', message, { cause }));
  });
  probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  await promise;
}

async function isListening(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port });
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  const result = await promise;
  socket.destroy();
  return result;
}

class Supervisor implements NatsServer {
  readonly #options: NatsServerOptions;
  readonly #binary: string;
  readonly #configPath: string;
  readonly #closing = new AbortController();
  #child: ChildProcess | undefined;
  #restartCount = 0;
  /** Restarts since the last run that was a good one. */
  #attempt = 0;
  #restartTimer: Timer | undefined;

  constructor(
    options: NatsServerOptions,
    paths: { readonly binary: string; readonly configPath: string },
  ) {
    this.#options = options;
    this.#binary = paths.binary;
    this.#configPath = paths.configPath;
  }

  get url(): string {
    return `nats://${this.#options.host}:${this.#options.port}`;
  }
  get processId(): number | undefined {
    return this.#child?.pid;
  }
  get restartCount(): number {
    return this.#restartCount;
  }

  /**
   * Ends the server of a controller that was killed: same program, same configuration file, and the
   * pid that it wrote.
   */
  async endOrphan(): Promise<void> {
    const pidFile = await this.#options.disk.read(join(this.#options.folder, 'nats-server.pid'), {
      bytesMax: 64,
    });
    const pid = Number(
      Buffer.from(pidFile ?? [])
        .toString()
        .trim(),
    );
    if (!Number.isSafeInteger(pid) || pid <= 1 || !this.#isOurs(pid)) return;
    this.#options.logger.warn('ending the nats-server of an earlier run', { pid });
    process.kill(pid, 'SIGTERM');
    const { clock, host, port } = this.#options;
    const deadlineMs = clock.monotonicMs() + STOP_LIMIT_MS;
    // The port outlives the command line, since a process that ends gives up its memory first.
    while (
      (this.#isOurs(pid) || (await isListening(host, port))) &&
      clock.monotonicMs() < deadlineMs
    )
      await clock.sleep(READY_POLL_MS);
    if (this.#isOurs(pid)) process.kill(pid, 'SIGKILL');
  }

  #isOurs(pid: number): boolean {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`)
        .subarray(0, CMDLINE_BYTES_MAX)
        .toString();
      return commandLine.split('\0').includes(this.#configPath);
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes(codeOf(error))) return false;
      throw error;
    }
  }

  async start(): Promise<void> {
    const child = this.#spawn();
    const deadlineMs = this.#options.clock.monotonicMs() + READY_LIMIT_MS;
    while (!(await isListening(this.#options.host, this.#options.port))) {
      if (child.exitCode !== null || this.#options.clock.monotonicMs() > deadlineMs) {
        await this[Symbol.asyncDispose]();
        throw new CodedError(
          'NATS_SERVER_NOT_READY',
          `${this.#binary} did not listen on ${this.url}; its log says why`,
        );
      }
      await this.#options.clock.sleep(READY_POLL_MS);
    }
    this.#options.logger.info('nats-server runs', { url: this.url, pid: child.pid });
  }

  #spawn(): ChildProcess {
    const { clock, logger } = this.#options;
    const startedMs = clock.monotonicMs();
    const child = spawn(this.#binary, ['--config', this.#configPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((part) => part !== '')) {
        const isTrouble = /\[(ERR|FTL)\]/.test(line);
        logger[isTrouble ? 'error' : 'debug']('nats-server', {
          line: line.slice(0, LOG_LINE_LENGTH_MAX),
        });
      }
    });
    const ended = (reason: string): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (this.#closing.signal.aborted) return;
      const isGood = clock.monotonicMs() - startedMs >= RUN_GOOD_MS;
      this.#attempt = isGood ? 0 : this.#attempt + 1;
      this.#restart(this.#attempt, reason);
    };
    // A program that cannot be started has no exit; while it is being replaced, it is tried again.
    child.once('error', (error) => ended(codeOf(error)));
    child.once('exit', (code, signal) => ended(`exit ${code ?? signal ?? 'unknown'}`));
    return child;
  }

  #restart(attempt: number, reason: string): void {
    const waitMs =
      RESTART_FIRST_MS / 2 +
      backoffMs(
        attempt,
        { firstMs: RESTART_FIRST_MS, maxMs: RESTART_MAX_MS },
        this.#options.random,
      );
    this.#restartCount += 1;
    this.#options.logger.error('nats-server ended; starting it again', {
      reason,
      inMs: Math.round(waitMs),
    });
    const timer = this.#options.clock.after(waitMs, () => {
      if (!this.#closing.signal.aborted) this.#spawn();
    });
    this.#restartTimer = timer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#restartTimer?.cancel();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    const timer = this.#options.clock.after(STOP_LIMIT_MS, () => child.kill('SIGKILL'));
    await promise;
    timer.cancel();
  }
}
