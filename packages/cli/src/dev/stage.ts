// In: a folder and a port.
// Out: a controller, two agents with actuators, two services and load, running as processes.
// Never: uses anything that a real installation would not: configuration files, processes, REST.

import { createServer } from 'node:net';
import { createClient, type Client } from '@foreshadow/client';
import type { CommandRecord, HostRecord, PairState } from '@foreshadow/model';
import { CodedError, codeOf, type Clock, type NewIdentifier } from '@foreshadow/runtime';
import { planLayout, sides, writeLayout, type Layout } from './layout.ts';
import { runLoad, type LoadTarget } from './load.ts';
import { createProcesses, type Processes } from './processes.ts';
import { programArguments } from './programs.ts';
import { printable } from '../table.ts';

export const LOAD_RATE = 40;
const POLL_MS = 100;
const HOSTS_LIMIT_MS = 60_000;

export interface StageOptions {
  readonly folder: string;
  /** First of five ports in a row. */
  readonly port: number;
  readonly intervalMs: number;
  /** Path of the nats-server; searched by the controller when absent. */
  readonly natsServer?: string;
  /** Requests per second at the shadow; production has `LOAD_RATE`. */
  readonly shadowRate: number;
  readonly clock: Clock;
  readonly newIdentifier: NewIdentifier;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Tells a person what happens. */
  readonly say: (line: string) => void;
}

export interface Stage extends AsyncDisposable {
  readonly layout: Layout;
  readonly client: Client;
  readonly processes: Processes;
  /** The pair's present state; undefined before it is formed, and while the controller is away. */
  pair(): Promise<PairState | undefined>;
  /**
   * Asks until `check` gives a value.
   * @throws CodedError STAGE_TIMEOUT naming `what`, or the signal's reason
   */
  until<Value>(
    what: string,
    limitMs: number,
    check: () => Promise<Value | undefined>,
  ): Promise<Value>;
  /**
   * Waits for both agents of this run, then marks what their hosts have now as good.
   * @throws CodedError STAGE_TIMEOUT, KNOWN_GOOD_FAILED
   */
  markKnownGood(): Promise<void>;
}

/**
 * Starts everything and returns when the controller answers; hosts and pair follow.
 * @throws CodedError PORT_IN_USE, STAGE_TIMEOUT
 */
export async function openStage(options: StageOptions, signal: AbortSignal): Promise<Stage> {
  const layout = planLayout(options);
  for (let port = options.port; port < options.port + 5; port += 1) await requireFreePort(port);
  await writeLayout(layout, options);
  const ended = new AbortController();
  const processes = createProcesses({
    clock: options.clock,
    environment: options.environment,
    onRestart: (name, how) => options.say(printable(`${name} ended (${how}); starting it again`)),
  });
  const stage = createStage({ options, layout, processes, ended }, signal);
  try {
    startPrograms(layout, processes);
    await stage.until('the controller to answer', 30_000, async () =>
      (await stage.client.readiness()).isOk ? true : undefined,
    );
    stage.startLoad();
    return stage;
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}

function startPrograms(layout: Layout, processes: Processes): void {
  const start = (name: string, words: readonly string[]): void =>
    processes.start({ name, arguments: words, logPath: layout.logPath(name) });
  start('controller', [...programArguments('controller'), '--config', layout.controllerConfigPath]);
  for (const side of sides) {
    const host = layout.hosts[side];
    start(`service-${side}`, [
      ...programArguments('workload'),
      host.serviceConfigPath,
      String(host.servicePort),
      host.pidFile,
    ]);
    start(`actuator-${side}`, [
      ...programArguments('actuator'),
      '--policy',
      host.actuatorPolicyPath,
    ]);
    start(`agent-${side}`, [...programArguments('agent'), '--config', host.agentConfigPath]);
  }
}

interface StageParts {
  readonly options: StageOptions;
  readonly layout: Layout;
  readonly processes: Processes;
  readonly ended: AbortController;
}

function createStage(
  { options, layout, processes, ended }: StageParts,
  signal: AbortSignal,
): Stage & { startLoad(): void } {
  const { clock } = options;
  const startedMs = clock.nowMs();
  const client = createClient({ url: `http://127.0.0.1:${layout.apiPort}`, clock, signal });
  let load: Promise<unknown> = Promise.resolve();
  const until: Stage['until'] = async (what, limitMs, check) => {
    const deadlineMs = clock.monotonicMs() + limitMs;
    for (;;) {
      const value = await unlessAway(check);
      if (value !== undefined) return value;
      if (clock.monotonicMs() > deadlineMs) {
        throw new CodedError(
          'STAGE_TIMEOUT',
          `waited ${limitMs / 1_000} s for ${what}; the logs in ${layout.folder}/log say more`,
        );
      }
      await clock.sleep(POLL_MS, signal);
    }
  };
  const endedRecord = async (record: CommandRecord): Promise<CommandRecord> =>
    until(`command ${record.command.id}`, 20_000, async () => {
      const now = await client.command(record.command.id);
      return now.state === 'ended' ? now : undefined;
    });
  return {
    layout,
    client,
    processes,
    until,
    pair: async () => unlessAway(async () => (await client.pairs()).items[0]),
    markKnownGood: async () => {
      const hosts = await until('fingerprints of both hosts', HOSTS_LIMIT_MS, async () =>
        readyHosts(client, startedMs),
      );
      for (const { id } of hosts) {
        const call = { idempotencyKey: options.newIdentifier('key') };
        const why = { reason: 'what foreshadow dev has written', requestedBy: 'foreshadow dev' };
        requireMarked(await endedRecord(await client.markKnownGood(id, why, call)));
      }
    },
    startLoad: () => {
      const targets: readonly LoadTarget[] = [
        { port: layout.hosts.production.servicePort, rate: LOAD_RATE },
        { port: layout.hosts.shadow.servicePort, rate: options.shadowRate },
      ];
      load = runLoad(targets, clock, ended.signal);
    },
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await load;
      await processes[Symbol.asyncDispose]();
    },
  };
}

/**
 * A controller remembers hosts, their fingerprints and the pair from a run before: none of them
 * says that the agents of this run are there.
 * @returns both hosts, once each is connected, has been heard since `startedMs` and has told its
 * files
 */
export async function readyHosts(
  client: Pick<Client, 'hosts' | 'fingerprints'>,
  startedMs: number,
): Promise<readonly HostRecord[] | undefined> {
  const { items } = await client.hosts();
  const heard = items.filter((host) => host.isConnected && host.lastSeenMs >= startedMs);
  if (heard.length < sides.length) return undefined;
  const told = await Promise.all(heard.map(async ({ id }) => client.fingerprints(id)));
  return told.every((page) => page.items.length > 0) ? heard : undefined;
}

/** @throws CodedError KNOWN_GOOD_FAILED with what the host says */
export function requireMarked({ command, outcome }: CommandRecord): void {
  if (outcome?.kind === 'done') return;
  const sentence = `${command.host}: ${outcome?.sentence ?? 'no outcome'}`;
  throw new CodedError('KNOWN_GOOD_FAILED', sentence);
}

/** A controller that is being restarted is no failure here; whoever waits asks again. */
async function unlessAway<Value>(
  ask: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (['CONTROLLER_UNREACHABLE', 'REQUEST_TIMEOUT', 'RESPONSE_INVALID'].includes(codeOf(error)))
      return undefined;
    throw error;
  }
}

async function requireFreePort(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const probe = createServer();
  probe.once('error', (cause) => {
    reject(
      new CodedError(
        'PORT_IN_USE',
        `port ${port} is in use; choose five others in a row with --port`,
        { cause },
      ),
    );
  });
  probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve()));
  await promise;
}
