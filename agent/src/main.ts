// In: arguments, the environment and signals. Out: a running agent, and its exit code.
// Never: holds logic; pipeline.ts says how the rooms are joined.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultFileRoots, volatileFiles } from '@foreshadow/configuration';
import { parseBootId, parseHostId, VERSION, type BootId, type HostId } from '@foreshadow/model';
import {
  CodedError,
  Lifecycle,
  createLogger,
  describeError,
  isLoopback,
  newBootId,
  seededRandom,
  stopSignal,
  systemClock,
  systemDisk,
} from '@foreshadow/runtime';
import {
  PROTOCOL_VERSION,
  dialControl,
  openBroker,
  samplesSubject,
  type Hello,
} from '@foreshadow/wire';
import { openActuatorClient } from './actuator/index.ts';
import { createProcessCollector, hostCollectors, type Collector } from './collectors/index.ts';
import { parseAgentConfig, type AgentConfig } from './config.ts';
import { createFingerprinters, openFingerprints } from './fingerprints/index.ts';
import { openHost } from './host/index.ts';
import { runLink } from './link/index.ts';
import { Pipeline } from './pipeline.ts';
import { createPublisher } from './publisher/index.ts';
import { createSampler } from './sampler/index.ts';
import { openSpool } from './spool/index.ts';

const USAGE = `usage: foreshadow-agent --config FILE [--check-config] [--print-defaults] [--version]

  --config FILE      configuration; FORESHADOW_AGENT_* variables go over it
  --check-config     check the configuration, print it complete, and exit
  --print-defaults   print the built-in fingerprint roots and exclusions, and exit
  --version          print the version and exit
`;
/** Of the sampling interval: what a collector that waits may take of it. */
const UNIT_TIME_RATIO = 0.8;
const COMMAND_ANSWER_GRACE_MS = 1_000;
const COMMAND_TIME_LIMIT_MS_MAX = 600_000;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      'check-config': { type: 'boolean' },
      'print-defaults': { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return say(USAGE);
  if (values.version === true) return say(`foreshadow-agent ${VERSION}\n`);
  if (values['print-defaults'] === true)
    return say(
      `${JSON.stringify({ roots: defaultFileRoots, exclude: volatileFiles }, undefined, 2)}\n`,
    );
  const source =
    values.config === undefined
      ? {}
      : { source: { path: values.config, text: readFileSync(values.config, 'utf8') } };
  const config = parseAgentConfig({ ...source, environment: process.env });
  if (values['check-config'] === true) return say(`${JSON.stringify(config, undefined, 2)}\n`);
  await runAgent(config, stopSignal());
  return 0;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** Opens every room in order, runs until the signal aborts, and closes in the mirrored order. */
async function runAgent(config: AgentConfig, stop: AbortSignal): Promise<void> {
  const clock = systemClock;
  const logger = createLogger({
    program: `agent ${config.host}`,
    level: config.log.level,
    format: process.stderr.isTTY ? 'text' : 'json',
    clock,
    write: (line) => process.stderr.write(line),
  });
  requireLoopbackPeers(config);
  await using lifecycle = new Lifecycle({ logger, clock });
  const random = seededRandom(process.pid ^ clock.nowMs()); // For jitter only, so it must differ between hosts.
  const fatal = new AbortController();
  const signal = AbortSignal.any([stop, fatal.signal]);
  const { host: hostId, boot } = identify(config);

  const host = openHost({ roots: { proc: '/proc', sys: '/sys' } });
  lifecycle.onClose('host', () => host[Symbol.dispose]());
  const inventory = await readInventory(host);
  const sampler = createSampler({
    host,
    collectors: collectorsOf(config),
    clock,
    unitTimeLimitMs: config.sampling.intervalMs * UNIT_TIME_RATIO,
  });
  const spool = lifecycle.own(
    'spool',
    await openSpool({
      folder: join(config.stateFolder, 'spool'),
      boot,
      bytesMax: config.spool.bytesMax,
      disk: systemDisk,
      logger,
    }),
  );

  const onClosed = (reason: string): void =>
    fatal.abort(new CodedError('BROKER_CLOSED', `the broker connection is closed: ${reason}`));
  const broker = lifecycle.own(
    'broker connection',
    openBroker({
      servers: config.broker.servers,
      name: `foreshadow-agent ${hostId}`,
      logger,
      random,
      onClosed,
    }),
  );
  let subject: string | undefined; // Known once the controller has said which partition is ours.
  const publisher = createPublisher({
    publish: (bytes) => subject !== undefined && broker.publish(subject, bytes),
    connectionCount: () => broker.connectionCount,
    spool,
    clock,
    logger,
  });
  const timeoutMs = COMMAND_TIME_LIMIT_MS_MAX + COMMAND_ANSWER_GRACE_MS;
  const actuator = openActuatorClient({ socketPath: config.actuator.socket, clock, timeoutMs });
  const pipeline = new Pipeline({
    rooms: { sampler, spool, publisher, actuator, fingerprints: () => fingerprints },
    host: hostId,
    boot,
    intervalMs: config.sampling.intervalMs,
    clock,
    logger,
  });
  const fingerprints = lifecycle.own(
    'fingerprints',
    openFingerprints({
      fingerprinters: createFingerprinters({
        ...fingerprintOptions(config),
        clock,
        onEvent: (event) => pipeline.onEvent(event),
      }),
      clock,
      random,
      onReport: (report) => pipeline.onReport(report),
      onUnit: (unit) => pipeline.onUnit(unit),
      rescanMs: config.fingerprints.rescanSeconds * SECOND_MS,
      rehashMs: config.fingerprints.rehashHours * HOUR_MS,
    }),
  );
  const hello: Hello = {
    protocolVersion: PROTOCOL_VERSION,
    host: hostId,
    boot,
    role: config.role,
    scope: config.scope.kind,
    agentVersion: VERSION,
    labels: config.labels,
    inventory,
  };
  const link = runLink(
    {
      dial: (handlers) => dialControl({ address: config.controller.address, ...handlers }),
      hello: () => hello,
      onWelcome: ({ partition }) => {
        subject = samplesSubject(partition, hostId);
        spool.tellTrimmed();
      },
      onMark: (mark) => pipeline.onMark(mark),
      onSnapshotRequest: () => fingerprints.requestSnapshot(),
      onCommand: (command, ended) => pipeline.onCommand(command, ended),
      clock,
      random,
      logger,
    },
    signal,
  );
  logger.info('ready', {
    host: hostId,
    role: config.role,
    scope: config.scope.kind,
    boot,
    version: VERSION,
  });
  await Promise.all([pipeline.run(signal), endQuietly(link, signal)]);
  if (fatal.signal.aborted) throw fatal.signal.reason;
}

/** Without identities nothing is sent to another machine, or asked of one. */
function requireLoopbackPeers(config: AgentConfig): void {
  const addresses = [
    config.controller.address,
    ...config.broker.servers.map((server) => server.replace('nats://', '')),
  ];
  const foreign = addresses.find((address) => !isLoopback(address.replace(/:\d+$/, '')));
  if (foreign === undefined) return;
  throw new CodedError(
    'NOT_LOOPBACK',
    `${foreign} is not on this machine; without identities an agent talks to 127.0.0.1 or ::1 only`,
  );
}

function identify(config: AgentConfig): { readonly host: HostId; readonly boot: BootId } {
  const host = parseHostId(config.host);
  const boot = parseBootId(newBootId());
  if (host === undefined || boot === undefined)
    throw new TypeError('the schema lets only host names through, and boot ids are ours');
  return { host, boot };
}

function collectorsOf({ scope }: AgentConfig): readonly Collector[] {
  if (scope.kind === 'host') return hostCollectors;
  const { pidFile, cpuCapacityCores, memoryCapacityBytes } = scope;
  if (pidFile === undefined)
    throw new CodedError(
      'CONFIG_INVALID',
      'scope.pidFile is required and missing, because scope.kind is process',
    );
  return [
    createProcessCollector({
      pidFile,
      ...(cpuCapacityCores !== undefined && { cpuCapacityCores }),
      ...(memoryCapacityBytes !== undefined && { memoryCapacityBytes }),
    }),
  ];
}

function fingerprintOptions({
  fingerprints,
}: AgentConfig): Omit<Parameters<typeof createFingerprinters>[0], 'clock' | 'onEvent'> {
  const builtIn = fingerprints.useDefaultExclusions
    ? volatileFiles.map(({ pattern }) => pattern)
    : [];
  const roots = fingerprints.roots?.map(({ path, as }) => ({ path, as: as ?? path }));
  return {
    key: readKey(fingerprints.keyFile),
    subjects: fingerprints.subjects,
    exclude: [...builtIn, ...fingerprints.exclude],
    ...(roots !== undefined && { roots }),
  };
}

function readKey(path: string): Uint8Array {
  const text = readFileSync(path, 'utf8').trim();
  if (/^([0-9a-fA-F]{2}){16,64}$/.test(text)) return Buffer.from(text, 'hex');
  throw new CodedError(
    'FINGERPRINT_KEY_INVALID',
    `${path} must hold 32 to 128 hexadecimal digits; copy the fleet's key there`,
  );
}

/** Slow facts, once; a machine that does not give them is no reason not to watch it. */
async function readInventory(
  host: ReturnType<typeof openHost>,
): Promise<Readonly<Record<string, string>>> {
  const facts = Object.entries(await host.inventory()).filter(([, value]) => value !== undefined);
  return Object.fromEntries(facts.map(([name, value]) => [name, String(value)]));
}

async function endQuietly(loop: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await loop;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`foreshadow-agent: ${describeError(error)}\n`);
  process.exitCode = 1;
}
