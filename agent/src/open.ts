// In: a configuration and a lifecycle.
// Out: every room of the agent, open and joined, in order of opening.
// Never: runs the loops; pipeline.ts and link do, and main.ts starts them.

import { join } from 'node:path';
import {
  VERSION,
  type BootId,
  type FingerprintReport,
  type Host,
  type HostId,
} from '@foreshadow/model';
import {
  tidyMemory,
  type Clock,
  type Disk,
  type Lifecycle,
  type Logger,
  type Random,
} from '@foreshadow/runtime';
import {
  PROTOCOL_VERSION,
  dialControl,
  openBroker,
  samplesSubject,
  type Broker,
  type Hello,
} from '@foreshadow/wire';
import { openActuatorClient } from './actuator/index.ts';
import type { Collector } from './collectors/index.ts';
import type { AgentConfig } from './config.ts';
import { createFingerprinters, openFingerprints, type Fingerprints } from './fingerprints/index.ts';
import type { FingerprintersOptions } from './fingerprints/index.ts';
import { runLink } from './link/index.ts';
import { Pipeline } from './pipeline.ts';
import { createPublisher } from './publisher/index.ts';
import { createSampler } from './sampler/index.ts';
import { openSpool, type Spool } from './spool/index.ts';

/** Of the sampling interval: what a collector that waits may take of it. */
const UNIT_TIME_RATIO = 0.8;
/** Longer than any command may take; the pipeline asks again until the command's own limit. */
const ACTUATOR_ANSWER_MS = 601_000;
/** By then a snapshot is in the spool and on its way, and what it was made of can go. */
export const TIDY_AFTER_SNAPSHOT_MS = 5_000;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** What main.ts has found out about this machine and process. */
export interface Surroundings {
  readonly hostId: HostId;
  readonly boot: BootId;
  readonly host: Host;
  readonly inventory: Readonly<Record<string, string>>;
  readonly collectors: readonly Collector[];
  readonly fingerprinting: Omit<FingerprintersOptions, 'clock' | 'onEvent'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  /** Called with what makes going on useless; the program then ends, to be started again. */
  readonly onFatal: (error: unknown) => void;
}

export interface OpenAgent {
  readonly pipeline: Pipeline;
  /** Holds the control stream until the signal aborts. */
  readonly link: (signal: AbortSignal) => Promise<void>;
}

/**
 * @throws CodedError of the room that could not open; what is open by then is the lifecycle's to
 * close
 */
export async function openAgent(config: AgentConfig, around: Surroundings): Promise<OpenAgent> {
  const { hostId, boot, clock, disk, logger, lifecycle } = around;
  const { intervalMs } = config.sampling;
  const folder = join(config.stateFolder, 'spool');
  const { bytesMax } = config.spool;
  const spool = lifecycle.own('spool', await openSpool({ folder, boot, bytesMax, disk, logger }));
  const broker = lifecycle.own(
    'broker connection',
    openBroker({
      servers: config.broker.servers,
      name: `foreshadow-agent ${hostId}`,
      logger,
      random: around.random,
      clock,
      onClosed: around.onFatal,
    }),
  );
  const address = createAddress(broker, hostId);
  const pipeline = new Pipeline({
    rooms: {
      sampler: createSampler({
        host: around.host,
        collectors: around.collectors,
        clock,
        unitTimeLimitMs: intervalMs * UNIT_TIME_RATIO,
      }),
      spool,
      publisher: createPublisher({ ...address, spool, clock, logger }),
      actuator: openActuatorClient({
        socketPath: config.actuator.socket,
        clock,
        timeoutMs: ACTUATOR_ANSWER_MS,
      }),
      fingerprints: () => fingerprints,
    },
    host: hostId,
    boot,
    intervalMs,
    clock,
    logger,
  });
  const fingerprints = lifecycle.own('fingerprints', openFingerprinting(config, around, pipeline));
  const link = createLink(config, around, { address, spool, pipeline, fingerprints });
  return { pipeline, link };
}

interface Address {
  /** Known once the controller has said which partition is this host's. */
  settle(partition: string): void;
  publish(bytes: Uint8Array): boolean;
  connectionCount(): number;
}

/** Where this host's batches go. */
function createAddress(broker: Broker, host: HostId): Address {
  let subject: string | undefined;
  return {
    settle: (partition) => {
      subject = samplesSubject(partition, host);
    },
    publish: (bytes) => subject !== undefined && broker.publish(subject, bytes),
    connectionCount: () => broker.connectionCount,
  };
}

function openFingerprinting(
  { fingerprints }: AgentConfig,
  { fingerprinting, clock, random }: Surroundings,
  pipeline: Pipeline,
): Fingerprints {
  const onReport = (report: FingerprintReport): void => {
    pipeline.onReport(report);
    const isSnapshotWhole = report.mode === 'snapshot' && report.partIndex + 1 === report.partCount;
    if (isSnapshotWhole) clock.after(TIDY_AFTER_SNAPSHOT_MS, tidyMemory);
  };
  return openFingerprints({
    fingerprinters: createFingerprinters({
      ...fingerprinting,
      clock,
      onEvent: (event) => pipeline.onEvent(event),
    }),
    clock,
    random,
    onReport,
    onUnit: (unit) => pipeline.onUnit(unit),
    rescanMs: fingerprints.rescanSeconds * SECOND_MS,
    rehashMs: fingerprints.rehashHours * HOUR_MS,
  });
}

interface LinkEnds {
  readonly address: Address;
  readonly spool: Spool;
  readonly pipeline: Pipeline;
  readonly fingerprints: Fingerprints;
}

function createLink(
  config: AgentConfig,
  { hostId, boot, inventory, clock, random, logger }: Surroundings,
  { address, spool, pipeline, fingerprints }: LinkEnds,
): OpenAgent['link'] {
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
  const options = {
    dial: (handlers: Pick<Parameters<typeof dialControl>[0], 'onMessage' | 'onEnd'>) =>
      dialControl({ address: config.controller.address, clock, ...handlers }),
    hello: () => hello,
    onWelcome: ({ partition }: { readonly partition: string }) => {
      address.settle(partition);
      spool.tellTrimmed();
    },
    onMark: pipeline.onMark.bind(pipeline),
    onSnapshotRequest: () => fingerprints.requestSnapshot(),
    onCommand: pipeline.onCommand.bind(pipeline),
    clock,
    random,
    logger,
  };
  return async (signal) => runLink(options, signal);
}
