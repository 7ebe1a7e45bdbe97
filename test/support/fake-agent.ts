// In: a controller's addresses and a host name. Out: an agent that sends whatever a test wants.
// Never: keeps or resends anything.

import {
  parseBootId,
  parseHostId,
  type Batch,
  type BootId,
  type HostId,
  type LowWaterMark,
} from '@foreshadow/model';
import { newBootId, systemClock } from '@foreshadow/runtime';
import {
  PROTOCOL_VERSION,
  dialControl,
  openBroker,
  samplesSubject,
  type ControllerMessage,
} from '@foreshadow/wire';
import { createKeptLog } from './kept-log.ts';
import { until } from './until.ts';

export interface FakeAgent extends AsyncDisposable {
  readonly host: HostId;
  readonly boot: BootId;
  /** The highest mark of this boot that the controller has announced; 0 before the first. */
  readonly mark: number;
  /** A sound batch; `change` spoils it. */
  batch(sequence: number, change?: Partial<Batch>): Batch;
  /** To the host's own subject, unless another is given. */
  send(bytes: Uint8Array, subject?: string): Promise<void>;
}

/** Returns when the controller has welcomed it, and the broker is connected. */
export async function openFakeAgent(options: {
  readonly host: string;
  readonly controlAddress: string;
  readonly brokerUrl: string;
}): Promise<FakeAgent> {
  const host = parseHostId(options.host);
  const boot = parseBootId(newBootId());
  if (host === undefined || boot === undefined) throw new TypeError(`${options.host} is no host`);
  const heard: ControllerMessage[] = [];
  const control = dialControl({
    address: options.controlAddress,
    clock: systemClock,
    onMessage: (message) => heard.push(message),
    onEnd: () => undefined,
  });
  const about = { protocolVersion: PROTOCOL_VERSION, role: 'shadow', scope: 'host' } as const;
  const hello = { ...about, host, boot, agentVersion: '1', labels: {}, inventory: {} };
  control.send({ kind: 'hello', hello });
  const broker = openBroker({
    servers: [options.brokerUrl],
    name: `fake agent ${host}`,
    logger: createKeptLog(),
    random: () => 0,
    clock: systemClock,
    onClosed: () => undefined,
  });
  await broker.connected(10_000, new AbortController().signal);
  const welcome = await until('the welcome', () => heard.find(({ kind }) => kind === 'welcome'));
  const partition = welcome.kind === 'welcome' ? welcome.welcome.partition : '';
  const marks = (): readonly LowWaterMark[] =>
    heard.flatMap((message) => (message.kind === 'low-water-mark' ? [message.mark] : []));
  return {
    host,
    boot,
    get mark() {
      return Math.max(0, ...marks().map((mark) => (mark.boot === boot ? mark.sequence : 0)));
    },
    batch: (sequence, change = {}) => ({
      host,
      boot,
      sequence,
      wallMs: Date.now() - 60_000 + sequence * 1_000,
      monotonicMs: sequence * 1_000,
      intervalMs: 1_000,
      readings: [{ metric: 'tasks', value: sequence }],
      events: [],
      units: [],
      gaps: [],
      ...change,
    }),
    send: async (bytes, subject = samplesSubject(partition, host)) => {
      await until('the broker', () => broker.publish(subject, bytes) || undefined);
      await broker.connection?.flush();
    },
    [Symbol.asyncDispose]: async () => {
      control.close();
      await broker[Symbol.asyncDispose]();
    },
  };
}
