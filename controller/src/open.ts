// In: a configuration and a lifecycle.
// Out: every room of the controller, open and joined, in order of opening.
// Never: runs the loop; pipeline.ts does, and main.ts starts it.

import { join } from 'node:path';
import {
  pairIdOf,
  VERSION,
  type CommandRecord,
  type HostRecord,
  type PairEvent,
} from '@foreshadow/model';
import {
  describeError,
  newIdentifier,
  type Clock,
  type Disk,
  type Lifecycle,
  type Logger,
  type Random,
} from '@foreshadow/runtime';
import {
  SAMPLES_WILDCARD,
  decodeBatch,
  openBroker,
  openEventStream,
  serveControl,
  toCloudEvent,
  type Broker,
} from '@foreshadow/wire';
import { createAgents } from './agents.ts';
import { createOutbox, type Outbox } from './alerts/index.ts';
import { createAnswers, hostIdOf } from './answers.ts';
import { createEventRing, openApi, type EventRing } from './api/index.ts';
import { openNatsServer, type NatsServer } from './broker/index.ts';
import type { ControllerConfig } from './config.ts';
import { createDispatch } from './dispatch/index.ts';
import { createHostRegistry, type HostRegistry } from './identity/index.ts';
import { createIncidents, type Incidents } from './incidents/index.ts';
import { createIngest, type Ingest } from './ingest/index.ts';
import { Pipeline, type Settings } from './pipeline.ts';
import type { PolicyRules } from './policy/index.ts';
import { openStore, type Store } from './store/index.ts';
import { defaultLimits, resolveLimits } from './verdict/index.ts';

const BROKER_LIMIT_MS = 30_000;
const EVENT_SOURCE = '/foreshadow/controller';

/** What main.ts has found out about this machine and process. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  readonly rules: PolicyRules;
  readonly protoPath: string;
  /** Where a nats-server may be, best first. */
  readonly natsBinaries: readonly string[];
  /** Called when the broker's client gave up for good. */
  readonly onFatal: (error: unknown) => void;
}

export interface OpenController {
  readonly pipeline: Pipeline;
  readonly outbox: Outbox;
  readonly store: Store;
}

/**
 * Opens in order: what remembers, what carries, what acts, and last the doors by which others come
 * in.
 * @throws CodedError of the room that could not open; what is open by then is the lifecycle's to
 *   close
 */
export async function openController(
  config: ControllerConfig,
  around: Surroundings,
  signal: AbortSignal,
): Promise<OpenController> {
  const { clock, logger, lifecycle } = around;
  const startedMs = clock.nowMs();
  const memory = await openMemory(config, around);
  const { broker, natsServer } = await openCarriers(config, around, memory.ingest, signal);
  const events = createEventRing({ clock });
  const outbox = await openOutbox({ broker, events }, around);
  const { store } = memory;
  const dispatch = createDispatch({
    clock,
    newIdentifier,
    initial: (await statesOf<CommandRecord>(store, 'command/')).toSorted(
      (left, right) => left.sentMs - right.sentMs,
    ),
    persist: (record) => store.putState(`command/${record.command.id}`, record),
    forget: (command) => void store.removeState(`command/${command}`).catch(around.onFatal),
    onChange: (record) => pipeline.onCommand(record),
    onFatal: around.onFatal,
  });
  const rooms = { ...memory, dispatch, outbox };
  const { onFatal } = around;
  const agents = createAgents({ rooms, clock, logger, onFatal });
  const pipeline = new Pipeline({
    rooms,
    agents,
    settings: settingsOf(config, around.rules),
    clock,
    logger,
    onFatal,
  });
  const control = lifecycle.own(
    'control',
    await serveControl({
      ...config.control,
      protoPath: around.protoPath,
      clock,
      onStream: (stream) => agents.onStream(stream),
      onError: (error) =>
        logger.error('control stream ended for a fault of ours', { reason: describeError(error) }),
    }),
  );
  const ports = createAnswers({ rooms, pipeline, events, broker, natsServer, clock, startedMs });
  const api = lifecycle.own('api', await openApi({ ports, ...config.api, logger, clock }));
  const addresses = { api: api.url, control: control.port, broker: brokerUrl(config, natsServer) };
  logger.info('ready', { ...addresses, version: VERSION });
  return { pipeline, outbox, store };
}

interface Memory {
  readonly store: Store;
  readonly registry: HostRegistry;
  readonly ingest: Ingest;
  readonly incidents: Incidents;
}

/** The store, and what it remembers of earlier runs. */
async function openMemory(config: ControllerConfig, around: Surroundings): Promise<Memory> {
  const { clock, logger, lifecycle, disk } = around;
  await disk.makeFolder(config.stateFolder);
  const { retentionHours } = config.store;
  const path = join(config.stateFolder, 'store');
  const store = lifecycle.own(
    'store',
    await openStore({ path, clock, logger, retentionHours, decode: decodeBatch }),
  );
  const registry = createHostRegistry({
    initial: await statesOf<HostRecord>(store, 'host/'),
    clock,
  });
  const ingest = createIngest({
    decode: decodeBatch,
    isKnownHost: (host) => registry.isKnown(host),
    coverages: await store.loadCoverages(),
  });
  const incidents = createIncidents({
    newIdentifier,
    persist: (records) => store.appendIncidentRecords(records),
  });
  for await (const record of store.loadIncidentRecords()) incidents.restore(record);
  return { store, registry, ingest, incidents };
}

interface Carriers {
  readonly broker: Broker;
  /** Absent when the configuration names a server that runs already. */
  readonly natsServer: NatsServer | undefined;
}

/** The broker and our connection to it; samples flow into ingest from here on. */
async function openCarriers(
  config: ControllerConfig,
  around: Surroundings,
  ingest: Ingest,
  signal: AbortSignal,
): Promise<Carriers> {
  const { clock, random, disk, logger, lifecycle, natsBinaries: binaries } = around;
  const { url, host, port } = config.broker;
  const folder = join(config.stateFolder, 'broker');
  const server = { binaries, host, port, folder, disk, clock, random, logger };
  const natsServer =
    url === undefined ? lifecycle.own('broker', await openNatsServer(server)) : undefined;
  const broker = lifecycle.own(
    'broker connection',
    openBroker({
      servers: [brokerUrl(config, natsServer)],
      name: 'foreshadow-controller',
      logger,
      random,
      clock,
      onClosed: around.onFatal,
    }),
  );
  broker.subscribe(SAMPLES_WILDCARD, ({ subject, data }) =>
    ingest.offer({ subject, data, receivedMs: clock.nowMs() }),
  );
  await broker.connected(BROKER_LIMIT_MS, signal);
  return { broker, natsServer };
}

function brokerUrl(config: ControllerConfig, natsServer: NatsServer | undefined): string {
  return config.broker.url ?? natsServer?.url ?? '';
}

async function openOutbox(
  { broker, events }: { readonly broker: Broker; readonly events: EventRing },
  { clock, random, logger }: Surroundings,
): Promise<Outbox> {
  const stream = await openEventStream(broker);
  return createOutbox({
    toCloudEvent: (event: PairEvent) =>
      toCloudEvent(event, { source: EVENT_SOURCE, newIdentifier }),
    publish: (event, pairEvent) => stream.publish(event, pairEvent),
    onEvent: (event) => events.append(event),
    clock,
    random,
    logger,
  });
}

/** States are written by this program under a checksum, so their shape is known. */
async function statesOf<State>(store: Store, prefix: string): Promise<State[]> {
  const states: State[] = [];
  for await (const { value } of store.readStates(prefix)) states.push(value as State);
  return states;
}

function settingsOf(
  { judging, pairs, pairingRules }: ControllerConfig,
  rules: PolicyRules,
): Settings {
  const pairRules = new Map(
    judging.pairLimits.map(({ production, shadow, limits }) => [
      pairIdOf(hostIdOf(production), hostIdOf(shadow)),
      limits,
    ]),
  );
  const defaults = { ...defaultLimits };
  for (const [name, limits] of Object.entries(judging.limits)) {
    // The schema knows the observables' names only.
    const observable = name as keyof typeof defaults;
    defaults[observable] = { ...defaults[observable], ...limits };
  }
  return {
    explicitPairs: pairs.map(({ production, shadow }) => ({
      production: hostIdOf(production),
      shadow: hostIdOf(shadow),
    })),
    pairingRules,
    limits: (labelsOf) =>
      resolveLimits({ defaults, labelRules: judging.labelLimits, pairRules, labelsOf }),
    rules,
    judgingIntervalMs: judging.intervalMs,
  };
}
