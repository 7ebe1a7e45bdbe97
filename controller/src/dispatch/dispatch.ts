// In: orders for hosts. Out: commands over the host's own stream, and what became of each.
// Never: queues a command: what cannot be delivered now is refused now. No answer is `unknown`,
// which is not `failed`.

import { isDeepStrictEqual } from 'node:util';
import type {
  Command,
  CommandId,
  CommandRecord,
  HostId,
  IncidentId,
  Order,
  Outcome,
} from '@foreshadow/model';
import { CodedError, type Clock, type NewIdentifier, type Timer } from '@foreshadow/runtime';

export const COMMAND_TIME_LIMIT_MS = 20_000;
export const RECEIPT_LIMIT_MS = 5_000;
/** What the answer may take on its way, beyond the host's own time limit. */
export const ANSWER_GRACE_MS = 3_000;
export const COMMANDS_KEPT_MAX = 1_000;

/** The part of an agent's stream that dispatch needs. */
export interface CommandStream {
  send(command: Command): void;
}

export interface CommandRequest {
  readonly host: HostId;
  readonly order: Order;
  readonly isDryRun: boolean;
  readonly requestedBy: string;
  readonly reason: string;
  readonly incident?: IncidentId;
  /** Under one key the same request is carried out once, for as long as its record is kept. */
  readonly idempotencyKey?: string;
}

export interface Dispatch {
  attach(host: HostId, stream: CommandStream): void;
  /** Commands of this stream that have no outcome become `unknown`. */
  detach(host: HostId, stream: CommandStream): void;
  /**
   * Returns when the command is on its way, or has ended because it could not be sent; or at once
   * with what became of the same request under the same key.
   * @throws CodedError IDEMPOTENCY_KEY_REUSED for another request under that key
   */
  start(request: CommandRequest): Promise<CommandRecord>;
  onReceipt(host: HostId, command: CommandId): void;
  onOutcome(host: HostId, command: CommandId, outcome: Outcome): void;
  /** Newest first. */
  list(): readonly CommandRecord[];
  get(command: CommandId): CommandRecord | undefined;
}

export interface DispatchOptions {
  readonly clock: Clock;
  readonly newIdentifier: NewIdentifier;
  /** Records of earlier runs, oldest first. */
  readonly initial: readonly CommandRecord[];
  /** Makes a record durable; called before a command is sent and after each change. */
  readonly persist: (record: CommandRecord) => Promise<void>;
  /** Called when a record could not be made durable: nothing may go on then. */
  readonly onFatal: (error: unknown) => void;
  /** A record is no longer kept; must not throw. */
  readonly forget: (command: CommandId) => void;
  /** After each change of a record; must not throw. */
  readonly onChange: (record: CommandRecord) => void;
}

export function createDispatch(options: DispatchOptions): Dispatch {
  return new Dispatcher(options);
}

class Dispatcher implements Dispatch {
  readonly #options: DispatchOptions;
  readonly #streams = new Map<HostId, CommandStream>();
  readonly #records = new Map<CommandId, CommandRecord>();
  readonly #timers = new Map<CommandId, Timer>();

  constructor(options: DispatchOptions) {
    this.#options = options;
    for (const record of options.initial) {
      this.#keep(record.state === 'ended' ? record : interrupted(record, options.clock.nowMs()));
    }
  }

  attach(host: HostId, stream: CommandStream): void {
    this.#streams.set(host, stream);
  }

  detach(host: HostId, stream: CommandStream): void {
    if (this.#streams.get(host) !== stream) return;
    this.#streams.delete(host);
    for (const record of this.#records.values()) {
      if (record.command.host === host && record.state !== 'ended') {
        this.#end(
          record,
          unknown(
            'the host lost its control stream before it answered; see its fingerprints for what is there now',
          ),
        );
      }
    }
  }

  async start({ idempotencyKey, ...request }: CommandRequest): Promise<CommandRecord> {
    const { clock, newIdentifier, persist } = this.#options;
    const before = idempotencyKey === undefined ? undefined : this.#startedUnder(idempotencyKey);
    if (before !== undefined) return sameRequest(before, request);
    const command: Command = {
      // The identifier was made by us a moment ago and has the form of one.
      id: newIdentifier('cmd') as CommandId,
      timeLimitMs: COMMAND_TIME_LIMIT_MS,
      ...request,
    };
    const record: CommandRecord = {
      command,
      state: 'sent',
      sentMs: clock.nowMs(),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    };
    this.#keep(record);
    const stream = this.#streams.get(request.host);
    if (stream === undefined) {
      const sentence = `${request.host} has no control stream now; commands are never queued, so nothing was sent`;
      return this.#end(record, { kind: 'refused', code: 'HOST_NOT_CONNECTED', sentence });
    }
    await persist(record);
    const current = this.#records.get(command.id) ?? record;
    if (current !== record) return current; // The stream was lost meanwhile.
    stream.send(command);
    this.#options.onChange(record);
    this.#startTimer(command.id, RECEIPT_LIMIT_MS, `no receipt within ${RECEIPT_LIMIT_MS} ms`);
    return record;
  }

  onReceipt(host: HostId, id: CommandId): void {
    const record = this.#records.get(id);
    if (record === undefined || record.command.host !== host || record.state !== 'sent') return;
    const received: CommandRecord = {
      ...record,
      state: 'received',
      receivedMs: this.#options.clock.nowMs(),
    };
    this.#keep(received);
    this.#save(received);
    const limitMs = record.command.timeLimitMs + ANSWER_GRACE_MS;
    this.#startTimer(id, limitMs, `no outcome within ${limitMs} ms of the receipt`);
  }

  /** An outcome that comes after its deadline still counts: it says what is true on the host. */
  onOutcome(host: HostId, id: CommandId, outcome: Outcome): void {
    const record = this.#records.get(id);
    if (record === undefined || record.command.host !== host) return;
    if (record.state === 'ended' && record.outcome?.kind !== 'unknown') return;
    this.#end(record, outcome);
  }

  list(): readonly CommandRecord[] {
    return [...this.#records.values()].toReversed();
  }

  get(command: CommandId): CommandRecord | undefined {
    return this.#records.get(command);
  }

  #startedUnder(key: string): CommandRecord | undefined {
    return [...this.#records.values()].find(({ idempotencyKey }) => idempotencyKey === key);
  }

  #end(record: CommandRecord, outcome: Outcome): CommandRecord {
    this.#timers.get(record.command.id)?.cancel();
    this.#timers.delete(record.command.id);
    const ended: CommandRecord = {
      ...record,
      state: 'ended',
      endedMs: this.#options.clock.nowMs(),
      outcome,
    };
    this.#keep(ended);
    this.#save(ended);
    this.#options.onChange(ended);
    return ended;
  }

  #startTimer(id: CommandId, limitMs: number, what: string): void {
    this.#timers.get(id)?.cancel();
    const timer = this.#options.clock.after(limitMs, () => {
      const record = this.#records.get(id);
      if (record !== undefined && record.state !== 'ended')
        this.#end(record, unknown(`${what}; it may have run`));
    });
    this.#timers.set(id, timer);
  }

  #keep(record: CommandRecord): void {
    this.#records.set(record.command.id, record);
    if (this.#records.size <= COMMANDS_KEPT_MAX) return;
    const oldestEnded = [...this.#records.values()].find(
      (candidate) => candidate.state === 'ended',
    );
    if (oldestEnded === undefined) return;
    this.#records.delete(oldestEnded.command.id);
    this.#options.forget(oldestEnded.command.id);
  }

  /** The store stops the program when it cannot write; there is nothing to add here. */
  #save(record: CommandRecord): void {
    this.#options.persist(record).catch(this.#options.onFatal);
  }
}

function sameRequest(record: CommandRecord, request: CommandRequest): CommandRecord {
  const { id, timeLimitMs: _, incident: _joined, ...before } = record.command;
  // Which incident it joined depends on the moment, not on who asks.
  const { incident: _asked, ...asked } = request;
  if (isDeepStrictEqual(before, asked)) return record;
  throw new CodedError(
    'IDEMPOTENCY_KEY_REUSED',
    `Idempotency-Key ${record.idempotencyKey} was used for ${id}, which is another request; take a new key for a new one`,
  );
}

function interrupted(record: CommandRecord, nowMs: number): CommandRecord {
  return {
    ...record,
    state: 'ended',
    endedMs: nowMs,
    outcome: unknown('the controller was restarted before the host answered'),
  };
}

function unknown(sentence: string): Outcome {
  return { kind: 'unknown', sentence };
}
