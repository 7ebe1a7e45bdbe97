// In: control streams as agents open them.
// Out: hosts that are known, marks and requests on their way, commands delivered.
// Never: judges; it only joins the stream to the rooms that care.

import { VERSION, type CommandRecord, type LowWaterMark } from '@foreshadow/model';
import { createPace, type Clock, type Logger } from '@foreshadow/runtime';
import { PROTOCOL_VERSION, type AgentStream, type AgentStreamHandler } from '@foreshadow/wire';
import { createStreams } from './dispatch/index.ts';
import type { HostMark } from './ingest/index.ts';
import type { Rooms } from './rooms.ts';

export const SNAPSHOT_ASKED_EVERY_MS = 30_000;
const PARTITION = '0'; // One controller holds them all.

export interface Agents {
  /** For the control server: a host has introduced itself. @throws CodedError HOSTS_TOO_MANY */
  onStream(stream: AgentStream): AgentStreamHandler;
  /** Tells a host what is durable; a host that is away hears it when it comes back. */
  announce(mark: HostMark): void;
  /** Asks connected hosts for what they never told, now and then. */
  askForSnapshots(): void;
}

export function createAgents(options: {
  readonly rooms: Pick<Rooms, 'registry' | 'dispatch' | 'store' | 'ingest'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when a host could not be made durable: nothing may go on then. */
  readonly onFatal: (error: unknown) => void;
}): Agents {
  const { logger } = options;
  const { registry, dispatch, store, ingest } = options.rooms;
  const streams = createStreams();
  const isAskingDue = createPace(options.clock, SNAPSHOT_ASKED_EVERY_MS);

  const greet = (stream: AgentStream): void => {
    const { host } = stream.hello;
    const before = registry.get(host);
    const record = registry.greet(stream.hello);
    if (before !== undefined && before.role !== record.role)
      logger.warn('host changed its role', { host, from: before.role, to: record.role });
    store.putState(`host/${host}`, record).catch(options.onFatal);
    logger.info('agent connected', { host, role: record.role, version: record.agentVersion });
  };

  return {
    onStream: (stream) => {
      const { host } = stream.hello;
      greet(stream);
      store.greet(host, stream.hello.boot).catch(options.onFatal);
      streams.add(stream);
      stream.send({ kind: 'welcome', welcome });
      for (const mark of ingest.marks(host)) stream.send(markMessage(mark));
      if (!store.hasSnapshot(host)) stream.send({ kind: 'snapshot-request' });
      const commands = {
        send: (command: CommandRecord['command']) => stream.send({ kind: 'command', command }),
      };
      dispatch.attach(host, commands);
      return {
        onReceipt: (command) => dispatch.onReceipt(host, command),
        onOutcome: (command, outcome) => dispatch.onOutcome(host, command, outcome),
        onEnd: () => {
          dispatch.detach(host, commands);
          if (!streams.remove(stream)) return;
          registry.left(host);
          logger.warn('agent disconnected', { host });
        },
      };
    },
    announce: (mark) => streams.get(mark.host)?.send(markMessage(mark)),
    askForSnapshots: () => {
      if (!isAskingDue()) return;
      for (const host of streams.hosts()) {
        if (!store.hasSnapshot(host)) streams.get(host)?.send({ kind: 'snapshot-request' });
      }
    },
  };
}

const welcome = {
  protocolVersion: PROTOCOL_VERSION,
  controllerVersion: VERSION,
  partition: PARTITION,
};

function markMessage({ boot, sequence }: LowWaterMark): {
  kind: 'low-water-mark';
  mark: LowWaterMark;
} {
  return { kind: 'low-water-mark', mark: { boot, sequence } };
}
