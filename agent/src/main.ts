// In: arguments, the environment and signals. Out: a running agent, and its exit code.
// Never: holds logic; open.ts opens the rooms, pipeline.ts joins what flows through them.

import { readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { defaultFileRoots, volatileFiles } from '@foreshadow/configuration';
import { parseBootId, parseHostId, VERSION, type BootId, type HostId } from '@foreshadow/model';
import {
  CodedError,
  Lifecycle,
  codeOf,
  createLogger,
  describeError,
  isLoopback,
  lockFolder,
  newBootId,
  runTogether,
  seededRandom,
  stopSignal,
  systemClock,
  systemDisk,
} from '@foreshadow/runtime';
import { createProcessCollector, hostCollectors, type Collector } from './collectors/index.ts';
import { parseAgentConfig, type AgentConfig } from './config.ts';
import { openHost } from './host/index.ts';
import { openAgent, type Surroundings } from './open.ts';

const USAGE = `usage: foreshadow-agent --config FILE [--check-config] [--print-defaults] [--version]

  --config FILE      configuration; FORESHADOW_AGENT_* variables go over it
  --check-config     check the configuration, print it complete, and exit
  --print-defaults   print the built-in fingerprint roots and exclusions, and exit
  --version          print the version and exit
`;

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
  const defaults = { roots: defaultFileRoots, exclude: volatileFiles };
  if (values['print-defaults'] === true) return say(`${JSON.stringify(defaults, undefined, 2)}\n`);
  const config = readConfig(values.config);
  requireLoopbackPeers(config);
  if (values['check-config'] === true) return say(`${JSON.stringify(config, undefined, 2)}\n`);
  await runAgent(config, stopSignal());
  return 0;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function readConfig(path: string | undefined): AgentConfig {
  if (path === undefined) return parseAgentConfig({ environment: process.env });
  const source = { path, text: readText(path, 'CONFIG_UNREADABLE', 'name a file with --config') };
  return parseAgentConfig({ source, environment: process.env });
}

function readText(path: string, code: string, advice: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CodedError(code, `${path} cannot be read; ${advice}`, { cause });
  }
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
  const { keyFile } = config.fingerprints;
  if (isReadByOthers(keyFile))
    logger.warn('others may read the fingerprint key, and guess content by it; chmod 600 it', {
      keyFile,
    });
  await using lifecycle = new Lifecycle({ logger, clock });
  const lock = await lockFolder(config.stateFolder);
  lifecycle.own('lock of the state folder', lock);
  const fatal = new AbortController();
  const host = openHost({ roots: { proc: '/proc', sys: '/sys' } });
  lifecycle.onClose('host', () => host[Symbol.dispose]());
  const around: Surroundings = {
    ...identify(config),
    host,
    inventory: await readInventory(host),
    collectors: collectorsOf(config),
    fingerprinting: fingerprintingOf(config),
    clock,
    // For jitter only; it must differ between hosts.
    random: seededRandom(process.pid ^ clock.nowMs()),
    disk: systemDisk,
    logger,
    lifecycle,
    onFatal: (error) => fatal.abort(error),
  };
  const { pipeline, link } = await openAgent(config, around);
  const { hostId, boot } = around;
  logger.info('ready', { host: hostId, role: config.role, scope: config.scope.kind, boot });
  await runTogether([(signal) => pipeline.run(signal), link], { stop, fatal });
}

/** Without identities nothing is sent to another machine, or asked of one. */
function requireLoopbackPeers(config: AgentConfig): void {
  const servers = config.broker.servers.map((server) => server.replace('nats://', ''));
  const addresses = [config.controller.address, ...servers];
  const foreign = addresses.find((address) => !isLoopback(address.replace(/:\d+$/, '')));
  if (foreign === undefined) return;
  const why = 'without identities an agent talks to 127.0.0.1 or ::1 only';
  throw new CodedError('NOT_LOOPBACK', `${foreign} is not on this machine; ${why}`);
}

function identify(config: AgentConfig): { readonly hostId: HostId; readonly boot: BootId } {
  const hostId = parseHostId(config.host);
  const boot = parseBootId(newBootId());
  if (hostId !== undefined && boot !== undefined) return { hostId, boot };
  throw new TypeError('the schema lets only host names through, and boot ids are our own');
}

function collectorsOf({ scope }: AgentConfig): readonly Collector[] {
  if (scope.kind === 'host') return hostCollectors;
  const { pidFile, cpuCapacityCores, memoryCapacityBytes } = scope;
  if (pidFile === undefined) {
    const message = 'scope.pidFile is required and missing, because scope.kind is process';
    throw new CodedError('CONFIG_INVALID', message);
  }
  return [
    createProcessCollector({
      pidFile,
      ...(cpuCapacityCores !== undefined && { cpuCapacityCores }),
      ...(memoryCapacityBytes !== undefined && { memoryCapacityBytes }),
    }),
  ];
}

function fingerprintingOf({ fingerprints }: AgentConfig): Surroundings['fingerprinting'] {
  const { useDefaultExclusions, exclude, subjects, keyFile } = fingerprints;
  const builtIn = useDefaultExclusions ? volatileFiles.map(({ pattern }) => pattern) : [];
  const roots = fingerprints.roots?.map(({ path, as }) => ({ path, as: as ?? path }));
  return {
    key: readKey(keyFile),
    subjects,
    exclude: [...builtIn, ...exclude],
    ...(roots !== undefined && { roots }),
  };
}

/** A missing file is no answer here; reading it says so. */
function isReadByOthers(path: string): boolean {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o077) !== 0;
}

function readKey(path: string): Uint8Array {
  const advice = "copy the fleet's key there: 32 to 128 hexadecimal digits, mode 0600";
  const text = readText(path, 'FINGERPRINT_KEY_INVALID', advice).trim();
  if (/^([0-9a-fA-F]{2}){16,64}$/.test(text)) return Buffer.from(text, 'hex');
  throw new CodedError('FINGERPRINT_KEY_INVALID', `${path} does not hold the key; ${advice}`);
}

/** Slow facts, once; a machine that does not give them is no reason not to watch it. */
async function readInventory(host: Surroundings['host']): Promise<Record<string, string>> {
  const facts = Object.entries(await host.inventory()).filter(([, value]) => value !== undefined);
  return Object.fromEntries(facts.map(([name, value]) => [name, String(value)]));
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`foreshadow-agent: ${codeOf(error)}: ${describeError(error)}\n`);
  process.exitCode = 1;
}
