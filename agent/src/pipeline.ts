// Read this first: every room of the agent, in the order in which data passes through them.
//
//   host ─► collectors ─► sampler ──┐
//   host ─► fingerprints ───────────┼─► batch ─► spool ─► publisher ─► NATS
//   command ─► link ─► actuator ────┘              ▲
//                link ─► low-water mark ───────────┘
//
// Callbacks only fill the bounded queue of parts; one loop makes batches of them, in order.

import { GAPS_PER_BATCH_MAX, encodeBatch, type TravellingCommand } from '@foreshadow/wire';
import type {
  BootId,
  Command,
  FingerprintReport,
  HostEvent,
  HostId,
  LowWaterMark,
  Outcome,
  UnitReport,
} from '@foreshadow/model';
import { BoundedQueue, codeOf, describeError, type Clock, type Logger } from '@foreshadow/runtime';
import type { ActuatorClient } from './actuator/index.ts';
import type { Fingerprints } from './fingerprints/index.ts';
import type { Publisher } from './publisher/index.ts';
import { nextTickMs, type Sampler, type Tick } from './sampler/index.ts';
import type { Spool } from './spool/index.ts';

/** Reports, events and ticks that wait to be put in a batch. */
export const PARTS_WAITING_MAX = 1_000;
export const UNIT_REPORTS_WAITING_MAX = 32;
/**
 * Between two questions to an actuator that did not answer; it knows a command by its id and does
 * nothing twice.
 */
export const ACTUATOR_ASK_AGAIN_MS = 1_000;
/**
 * Refusals of a question, not of the command: once an earlier question had no answer, the command
 * may be done all the same.
 */
const askAgainCodes: ReadonlySet<string> = new Set([
  'ACTUATOR_UNREACHABLE',
  'ACTUATOR_BUSY',
  'TRANSACTION_OPEN',
]);

export interface Rooms {
  readonly sampler: Sampler;
  readonly fingerprints: () => Fingerprints;
  readonly spool: Pick<Spool, 'append' | 'droppedCount' | 'gaps' | 'gapsTold' | 'trim'>;
  readonly publisher: Publisher;
  readonly actuator: ActuatorClient;
}

/** What found no room, or no disk, since the agent's start; fingerprints are made good instead. */
type Losses = Readonly<Record<'ticks' | 'events' | 'unitReports', number>>;

/** What goes into one batch. */
interface Part {
  readonly tick?: Tick;
  readonly fingerprints?: FingerprintReport;
  readonly events?: readonly HostEvent[];
}

export interface PipelineOptions {
  readonly rooms: Rooms;
  readonly host: HostId;
  readonly boot: BootId;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The loop and its state. Opened by main.ts with rooms that are open. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #parts = new BoundedQueue<Part>(PARTS_WAITING_MAX);
  #units: UnitReport[] = [];
  #sequence = 0;
  #isSnapshotOwed = false;
  #droppedKnown = 0;
  #losses: Losses = { ticks: 0, events: 0, unitReports: 0 };
  #lossesTold = this.#losses;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Samples, sends and resends until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(
      [this.#sample(signal), this.#write(signal), this.#options.rooms.publisher.run(signal)].map(
        untilAborted(signal),
      ),
    );
    await this.#writeWaiting();
  }

  /** From fingerprints. A report that finds no room is made good by a snapshot later. */
  onReport(report: FingerprintReport): void {
    this.#offer({ fingerprints: report });
  }
  onUnit(unit: UnitReport): void {
    if (this.#units.length === UNIT_REPORTS_WAITING_MAX) this.#lose('unitReports', 1);
    this.#units = [...this.#units, unit].slice(-UNIT_REPORTS_WAITING_MAX);
  }
  onEvent(event: HostEvent): void {
    this.#offer({ events: [event] });
  }

  /** From the controller: what it holds durably. */
  onMark(mark: LowWaterMark): void {
    const { logger, rooms } = this.#options;
    rooms.spool
      .trim(mark)
      .catch((error: unknown) =>
        logger.error('spool not trimmed', { reason: describeError(error) }),
      );
  }

  /** Asks the actuator until it answers or the command's time is over. */
  async onCommand(travelling: TravellingCommand, signal: AbortSignal): Promise<Outcome> {
    const { clock, host, logger } = this.#options;
    const command: Command = { ...travelling, host };
    logger.info('command received', {
      command: command.id,
      order: command.order.kind,
      dryRun: command.isDryRun,
    });
    const outcome = await this.#askActuator(command, signal);
    logger.info('command ended', { command: command.id, outcome: outcome.kind });
    this.onEvent(commandEvent(command, outcome, clock.nowMs()));
    return outcome;
  }

  /** Each question carries what is left of the time, so that the actuator never begins later. */
  async #askActuator(command: Command, signal: AbortSignal): Promise<Outcome> {
    const { clock, rooms } = this.#options;
    const deadlineMs = clock.monotonicMs() + command.timeLimitMs;
    let outcome = await rooms.actuator.execute(command, signal);
    while (outcome.kind === 'unknown') {
      await untilAborted(signal)(clock.sleep(ACTUATOR_ASK_AGAIN_MS, signal));
      const timeLimitMs = Math.floor(deadlineMs - clock.monotonicMs());
      if (timeLimitMs < 1 || signal.aborted) break;
      const answer = await rooms.actuator.execute({ ...command, timeLimitMs }, signal);
      if (!(answer.kind === 'refused' && askAgainCodes.has(answer.code))) outcome = answer;
    }
    return outcome;
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, rooms } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(Math.max(0, nextTickMs(clock.nowMs(), intervalMs) - clock.nowMs()), signal);
      this.#offer({ tick: await rooms.sampler.tick(signal) });
      if (this.#isSnapshotOwed && this.#parts.length < PARTS_WAITING_MAX / 2) {
        this.#isSnapshotOwed = false;
        rooms.fingerprints().requestSnapshot();
      }
    }
  }

  #offer(part: Part): void {
    if (!this.#parts.offer(part)) this.#losePart(part);
  }

  #losePart({ tick, fingerprints, events = [] }: Part): void {
    if (fingerprints !== undefined) this.#isSnapshotOwed = true;
    this.#lose('ticks', tick === undefined ? 0 : 1);
    this.#lose('events', events.length);
  }

  #lose(kind: keyof Losses, count: number): void {
    if (count > 0) this.#losses = { ...this.#losses, [kind]: this.#losses[kind] + count };
  }

  async #write(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#parts.waitForItem(signal);
      await this.#writeWaiting();
    }
  }

  async #writeWaiting(): Promise<void> {
    for (const part of this.#parts.take(PARTS_WAITING_MAX)) {
      try {
        await this.#writePart(part);
      } catch (error) {
        // The disk is full or broken. The sequence did not move, so nothing is missing but what
        // this batch would have said.
        this.#losePart(part);
        this.#options.logger.error('batch lost before the spool', {
          code: codeOf(error),
          reason: describeError(error),
        });
      }
    }
  }

  /** What the full spool dropped may have held changes of the configuration. */
  #oweSnapshotForDropped(): void {
    const { droppedCount } = this.#options.rooms.spool;
    if (droppedCount > this.#droppedKnown) this.#isSnapshotOwed = true;
    this.#droppedKnown = droppedCount;
  }

  async #writePart({ tick, fingerprints, events = [] }: Part): Promise<void> {
    const { host, boot, intervalMs, clock, rooms } = this.#options;
    const sequence = this.#sequence + 1;
    const gaps = rooms.spool.gaps().slice(0, GAPS_PER_BATCH_MAX);
    const units = tick === undefined ? [] : [...tick.units, ...this.#units];
    // With a tick, as units are: one event a tick at most, however much is lost.
    const losses = tick === undefined ? this.#lossesTold : this.#losses;
    const batch = {
      host,
      boot,
      sequence,
      intervalMs,
      events: losses === this.#lossesTold ? events : [...events, lossEvent(losses, clock.nowMs())],
      units,
      gaps,
      wallMs: clock.nowMs(),
      monotonicMs: clock.monotonicMs(),
      readings: tick?.readings ?? [],
    };
    const bytes = encodeBatch(fingerprints === undefined ? batch : { ...batch, fingerprints });
    await rooms.spool.append(sequence, bytes);
    this.#sequence = sequence;
    this.#oweSnapshotForDropped();
    this.#lossesTold = losses;
    this.#units = this.#units.filter((unit) => !units.includes(unit)); // Others came meanwhile.
    if (gaps.length > 0) rooms.spool.gapsTold(gaps);
    rooms.publisher.publishLive(bytes);
  }
}

function lossEvent(losses: Losses, atMs: number): HostEvent {
  const { ticks, events, unitReports } = losses;
  return {
    kind: 'agent-loss',
    atMs,
    sentence: `since its start the agent had no room or no disk for ${ticks} ticks, ${events} events and ${unitReports} unit reports`,
    details: { ticks: `${ticks}`, events: `${events}`, unitReports: `${unitReports}` },
  };
}

function commandEvent(command: Command, outcome: Outcome, atMs: number): HostEvent {
  return {
    kind: `command-${outcome.kind}`,
    atMs,
    sentence: outcome.sentence,
    details: { command: command.id, order: command.order.kind, requestedBy: command.requestedBy },
  };
}

/** Waiting loops end by the signal's reason; anything else is trouble. */
function untilAborted(signal: AbortSignal): (loop: Promise<void>) => Promise<void> {
  return async (loop) => {
    try {
      await loop;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
}
