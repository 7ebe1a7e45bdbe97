// In: arguments, the environment and signals. Out: a running controller, and its exit code.
// Never: holds logic; pipeline.ts says how the rooms are joined.

import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  pairIdOf,
  VERSION,
  type CommandRecord,
  type HostRecord,
  type IncidentRecord,
  type PairEvent,
} from '@foreshadow/model';
import {
  Lifecycle,
  createLogger,
  describeError,
  newIdentifier,
  seededRandom,
  stopSignal,
  systemClock,
  systemDisk,
  type ConfigSource,
  type Logger,
} from '@foreshadow/runtime';
import {
  SAMPLES_WILDCARD,
  decodeBatch,
  openBroker,
  openEventStream,
  serveControl,
  toCloudEvent,
} from '@foreshadow/wire';
import { createOutbox } from './alerts/index.ts';
import { createAnswers, hostIdOf } from './answers.ts';
import { createEventRing, openApi } from './api/index.ts';
import { openNatsServer } from './broker/index.ts';
import { parseControllerConfig, parsePolicyRules, type ControllerConfig } from './config.ts';
import { createDispatch } from './dispatch/index.ts';
import { createHostRegistry } from './identity/index.ts';
import { createIncidents } from './incidents/index.ts';
import { createIngest } from './ingest/index.ts';
import { Pipeline, type Settings } from './pipeline.ts';
import { defaultRules } from './policy/index.ts';
import { openStore, type Store } from './store/index.ts';
import { defaultLimits, resolveLimits } from './verdict/index.ts';

const USAGE = `usage: foreshadow-controller [--config FILE] [--check-config] [--version]

  --config FILE    configuration (default: built-in defaults and FORESHADOW_CONTROLLER_* variables)
  --check-config   check the configuration, print it complete, and exit
  --version        print the version and exit
`;
const BROKER_LIMIT_MS = 30_000;
const RETENTION_EVERY_MS = 60_000;
const EVENT_SOURCE = '/foreshadow/controller';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      'check-config': { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return say(USAGE);
  if (values.version === true) return say(`foreshadow-controller ${VERSION}\n`);
  const source = values.config === undefined ? {} : { source: readSource(values.config) };
  const config = parseControllerConfig({ ...source, environment: process.env });
  if (values['check-config'] === true) return say(`${JSON.stringify(config, undefined, 2)}\n`);
  await runController(config, stopSignal());
  return 0;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function readSource(path: string): ConfigSource {
  return { path, text: readFileSync(path, 'utf8') };
}

/** Opens every room in order, runs until the signal aborts, and closes in the mirrored order. */
async function runController(config: ControllerConfig, stop: AbortSignal): Promise<void> {
  const clock = systemClock;
  const logger = createLogger({
    program: 'controller',
    level: config.log.level,
    format: process.stderr.isTTY ? 'text' : 'json',
    clock,
    write: (line) => process.stderr.write(line),
  });
  await using lifecycle = new Lifecycle({ logger, clock });
  const random = seededRandom(process.pid ^ clock.nowMs()); // For jitter only, so it must differ between processes.
  const fatal = new AbortController();
  const signal = AbortSignal.any([stop, fatal.signal]);

  await systemDisk.makeFolder(config.stateFolder);
  const { retentionHours } = config.store;
  const store = lifecycle.own(
    'store',
    await openStore({
      path: join(config.stateFolder, 'store'),
      clock,
      logger,
      retentionHours,
      decode: decodeBatch,
    }),
  );
  const registry = createHostRegistry({
    initial: await statesOf<HostRecord>(store, 'host/'),
    clock,
  });
  const coverages = await store.loadCoverages();
  const ingest = createIngest({
    decode: decodeBatch,
    isKnownHost: (host) => registry.isKnown(host),
    coverages,
  });
  const initialRecords: IncidentRecord[] = [];
  for await (const record of store.loadIncidentRecords()) initialRecords.push(record);
  const incidents = createIncidents({
    newIdentifier,
    initialRecords,
    persist: (records) => store.appendIncidentRecords(records),
  });

  const natsServer =
    config.broker.url === undefined
      ? lifecycle.own(
          'broker',
          await openNatsServer({
            ...brokerPlaces(config),
            ...config.broker,
            disk: systemDisk,
            clock,
            random,
            logger,
          }),
        )
      : undefined;
  const servers = [config.broker.url ?? natsServer?.url ?? ''];
  const onClosed = (reason: string): void =>
    fatal.abort(new Error(`the broker connection is closed: ${reason}`));
  const broker = lifecycle.own(
    'broker connection',
    openBroker({ servers, name: 'foreshadow-controller', logger, random, onClosed }),
  );
  broker.subscribe(SAMPLES_WILDCARD, ({ subject, data }) =>
    ingest.offer({ subject, data, receivedMs: clock.nowMs() }),
  );
  await broker.connected(AbortSignal.any([signal, AbortSignal.timeout(BROKER_LIMIT_MS)]));
  const eventStream = await openEventStream(broker);

  const events = createEventRing({ clock });
  const outbox = createOutbox({
    toCloudEvent: (event: PairEvent) =>
      toCloudEvent(event, { source: EVENT_SOURCE, newIdentifier }),
    publish: (event, pairEvent) => eventStream.publish(event, pairEvent),
    onEvent: (event) => events.append(event),
    clock,
    random,
    logger,
  });
  const dispatch = createDispatch({
    clock,
    newIdentifier,
    initial: (await statesOf<CommandRecord>(store, 'command/')).toSorted(
      (left, right) => left.sentMs - right.sentMs,
    ),
    persist: (record) => store.putState(`command/${record.command.id}`, record),
    onChange: (record) => pipeline.onCommand(record),
  });
  const rooms = { ingest, store, registry, incidents, dispatch, outbox };
  const pipeline = new Pipeline({ rooms, settings: settingsOf(config), clock, logger });

  const ports = createAnswers({
    rooms,
    pipeline,
    events,
    broker,
    natsServer,
    clock,
    startedMs: clock.nowMs(),
  });
  const control = lifecycle.own(
    'control',
    await serveControl({
      ...config.control,
      protoPath: protoPath(),
      onStream: (stream) => pipeline.onStream(stream),
    }),
  );
  const api = lifecycle.own('api', await openApi({ ports, ...config.api, logger, clock }));
  logger.info('ready', {
    api: api.url,
    control: control.port,
    broker: servers[0],
    version: VERSION,
  });

  await Promise.all([
    pipeline.run(signal),
    outbox.run(signal),
    retain(store, { clock, logger }, signal),
  ]);
  if (fatal.signal.aborted) throw fatal.signal.reason;
}

/** States are written by this program under a checksum, so their shape is known. */
async function statesOf<State>(store: Store, prefix: string): Promise<State[]> {
  const states: State[] = [];
  for await (const { value } of store.readStates(prefix)) states.push(value as State);
  return states;
}

function settingsOf(config: ControllerConfig): Settings {
  const { judging } = config;
  const pairRules = new Map(
    judging.pairLimits.map(({ production, shadow, limits }) => [
      pairIdOf(hostIdOf(production), hostIdOf(shadow)),
      limits,
    ]),
  );
  const defaults = Object.fromEntries(
    Object.entries({ ...defaultLimits, ...judging.limits }).map(([name, limits]) => [
      name,
      { ...defaultLimits[name as keyof typeof defaultLimits], ...limits },
    ]), // Names are the schema's.
  );
  return {
    explicitPairs: config.pairs.map(({ production, shadow }) => ({
      production: hostIdOf(production),
      shadow: hostIdOf(shadow),
    })),
    pairingRules: config.pairingRules,
    limits: (labelsOf) =>
      resolveLimits({ defaults, labelRules: judging.labelLimits, pairRules, labelsOf }),
    rules:
      config.policy.file === undefined
        ? defaultRules
        : parsePolicyRules(readSource(config.policy.file)),
    judgingIntervalMs: judging.intervalMs,
  };
}

function brokerPlaces(config: ControllerConfig): {
  readonly binaries: readonly string[];
  readonly folder: string;
} {
  const searched = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/bin',
  ].filter((folder) => folder !== '');
  const binaries =
    config.broker.binary === undefined
      ? searched.map((folder) => join(folder, 'nats-server'))
      : [config.broker.binary];
  return { binaries, folder: join(config.stateFolder, 'broker') };
}

/** Beside the bundle, or in the checkout. */
function protoPath(): string {
  const beside = join(import.meta.dirname, 'proto', 'control.proto');
  return existsSync(beside) ? beside : join(import.meta.dirname, '../../proto/control.proto');
}

async function retain(
  store: Store,
  { clock, logger }: { readonly clock: typeof systemClock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const hasMore = await store.compactionStep();
    try {
      await clock.sleep(hasMore ? 100 : RETENTION_EVERY_MS, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      logger.debug('retention ended');
    }
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`foreshadow-controller: ${describeError(error)}\n`);
  process.exitCode = 1;
}
