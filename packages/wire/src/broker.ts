// In: the address of a nats-server.
// Out: a connection that comes back by itself, and says when it is away.
// Never: buffers while it is away: a message that cannot be sent now is refused, and its owner
// keeps it.

import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import {
  CodedError,
  describeError,
  type Clock,
  type Logger,
  type Random,
} from '@foreshadow/runtime';

export const RECONNECT_WAIT_MS = 250;
export const RECONNECT_JITTER_MS = 250;
const PING_INTERVAL_MS = 10_000;
const PINGS_OUTSTANDING_MAX = 2;
const CONNECT_TIMEOUT_MS = 5_000;
export const DRAIN_LIMIT_MS = 1_000;

export interface BrokerMessage {
  readonly subject: string;
  readonly data: Uint8Array;
}

export interface Broker extends AsyncDisposable {
  /** False before the first connection and while it is lost. */
  readonly isConnected: boolean;
  /** Connections made so far; rises by one at each return. */
  readonly connectionCount: number;
  /** @returns false when there is no connection; nothing was sent then */
  publish(subject: string, data: Uint8Array): boolean;
  /** Messages arrive on the callback while connected; the subscription survives reconnection. */
  subscribe(subject: string, onMessage: (message: BrokerMessage) => void): void;
  /** Resolves at the first connection. @throws CodedError BROKER_UNREACHABLE after `limitMs` */
  connected(limitMs: number, signal: AbortSignal): Promise<void>;
  /** The connection of the library, for JetStream; undefined before the first connection. */
  readonly connection: NatsConnection | undefined;
}

export interface BrokerOptions {
  /** `nats://host:port`, one or more. */
  readonly servers: readonly string[];
  /** Shown in the server's own lists. */
  readonly name: string;
  readonly logger: Logger;
  readonly random: Random;
  readonly clock: Clock;
  /**
   * The client gave up for good; the program should end, so that its supervisor starts it again.
   */
  readonly onClosed: (error: CodedError) => void;
}

/** Returns at once and connects in the background, for as long as it takes. */
export function openBroker(options: BrokerOptions): Broker {
  const supervisor = new BrokerConnection(options);
  supervisor.start();
  return supervisor;
}

function connectionOptions({ servers, name, random }: BrokerOptions): ConnectionOptions {
  return {
    servers: [...servers],
    name,
    noEcho: true,
    timeout: CONNECT_TIMEOUT_MS,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => reconnectWaitMs(random),
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_OUTSTANDING_MAX,
    ignoreAuthErrorAbort: true,
    // Without identities nothing goes to an address that the configuration does not name.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  };
}

function reconnectWaitMs(random: Random): number {
  return RECONNECT_WAIT_MS + Math.floor(random() * RECONNECT_JITTER_MS);
}

class BrokerConnection implements Broker {
  readonly #options: BrokerOptions;
  readonly #subscriptions: { subject: string; onMessage: (message: BrokerMessage) => void }[] = [];
  readonly #first = Promise.withResolvers<void>();
  #connection: NatsConnection | undefined;
  #isUp = false;
  #connectionCount = 0;
  readonly #closing = new AbortController();

  constructor(options: BrokerOptions) {
    this.#options = options;
    // Nobody may be waiting for the first connection when it fails.
    this.#first.promise.catch(() => undefined);
  }

  get isConnected(): boolean {
    return this.#isUp;
  }
  get connectionCount(): number {
    return this.#connectionCount;
  }
  get connection(): NatsConnection | undefined {
    return this.#connection;
  }

  start(): void {
    this.#run().catch((error: unknown) => {
      this.#isUp = false;
      this.#first.reject(error);
      this.#closedForGood(error);
    });
  }

  async #run(): Promise<void> {
    const connection = await this.#connectFirst();
    if (connection === undefined) return;
    if (this.#closing.signal.aborted) {
      await connection.close();
      return;
    }
    this.#connection = connection;
    for (const subscription of this.#subscriptions) this.#listen(connection, subscription);
    this.#up();
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#down();
      else if (status.type === 'reconnect') this.#up();
      else if (status.type === 'error')
        this.#options.logger.warn('broker error', { reason: describeError(status.error) });
    }
    const reason = await connection.closed();
    this.#isUp = false;
    this.#closedForGood(reason);
  }

  #closedForGood(cause: unknown): void {
    if (this.#closing.signal.aborted) return;
    const message = 'the connection to the broker was closed for good; start the program again';
    this.#options.onClosed(new CodedError('BROKER_CLOSED', message, { cause }));
  }

  /**
   * The library can wait for the first connection too, but then nothing ends its waiting, and a
   * program that is told to stop would go on. @returns undefined when closed before
   */
  async #connectFirst(): Promise<NatsConnection | undefined> {
    const { logger, random } = this.#options;
    const { signal } = this.#closing;
    let toldReason = '';
    while (!signal.aborted) {
      try {
        return await connect(connectionOptions(this.#options));
      } catch (error) {
        const reason = describeError(error);
        if (reason !== toldReason) logger.warn('no broker yet; trying again', { reason });
        toldReason = reason;
      }
      await this.#options.clock.sleep(reconnectWaitMs(random), signal);
    }
    return undefined;
  }

  #up(): void {
    this.#isUp = true;
    this.#connectionCount += 1;
    this.#options.logger.info('broker connected', { server: this.#connection?.getServer() });
    this.#first.resolve();
  }

  #down(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#options.logger.warn('broker connection lost; reconnecting');
  }

  #listen(
    connection: NatsConnection,
    { subject, onMessage }: { subject: string; onMessage: (message: BrokerMessage) => void },
  ): void {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) onMessage({ subject: message.subject, data: message.data });
        else
          this.#options.logger.error('subscription failed', {
            subject,
            reason: describeError(error),
          });
      },
    });
  }

  publish(subject: string, data: Uint8Array): boolean {
    if (!this.#isUp || this.#connection === undefined || this.#connection.isClosed()) return false;
    this.#connection.publish(subject, data);
    return true;
  }

  subscribe(subject: string, onMessage: (message: BrokerMessage) => void): void {
    this.#subscriptions.push({ subject, onMessage });
    if (this.#connection !== undefined) this.#listen(this.#connection, { subject, onMessage });
  }

  async connected(limitMs: number, signal: AbortSignal): Promise<void> {
    const gaveUp = Promise.withResolvers<never>();
    const where = this.#options.servers.join(', ');
    const giveUp = (why: string): void =>
      gaveUp.reject(
        new CodedError('BROKER_UNREACHABLE', `no connection to ${where}: ${why}`, {
          cause: signal.reason,
        }),
      );
    const abort = (): void => giveUp('stopped before there was one');
    const late = (): void => giveUp(`none in ${limitMs} ms; does a nats-server listen there?`);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const timer = this.#options.clock.after(limitMs, late);
    try {
      await Promise.race([this.#first.promise, gaveUp.promise]);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const connection = this.#connection;
    if (connection === undefined || connection.isClosed()) return;
    // A server that has fallen silent would let a drain wait for ever; what it has not read by then
    // is lost.
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(DRAIN_LIMIT_MS, late.resolve);
    if (this.#isUp) await Promise.race([connection.drain().catch(late.resolve), late.promise]);
    timer.cancel();
    if (!connection.isClosed()) await connection.close();
  }
}
