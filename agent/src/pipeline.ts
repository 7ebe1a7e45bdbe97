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

export interface Rooms {
  readonly sampler: Sampler;
  readonly fingerprints: () => Fingerprints;
  readonly spool: Pick<Spool, 'append' | 'gaps' | 'gapsTold' | 'trim'>;
  readonly publisher: Publisher;
  readonly actuator: ActuatorClient;
}

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
    if (!this.#parts.offer({ fingerprints: report })) this.#isSnapshotOwed = true;
  }
  onUnit(unit: UnitReport): void {
    this.#units = [...this.#units, unit].slice(-UNIT_REPORTS_WAITING_MAX);
  }
  onEvent(event: HostEvent): void {
    this.#parts.offer({ events: [event] });
  }

  /** From the controller: what it holds durably. */
  onMark(mark: LowWaterMark): void {
    const { spool, publisher } = this.#options.rooms;
    const { logger } = this.#options;
    publisher.markMoved();
    spool
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
    const deadlineMs = clock.monotonicMs() + command.timeLimitMs;
    let outcome: Outcome = { kind: 'unknown', sentence: 'the actuator was not asked' };
    do {
      outcome = await this.#options.rooms.actuator.execute(command, signal);
      if (outcome.kind !== 'unknown') break;
      await untilAborted(signal)(clock.sleep(ACTUATOR_ASK_AGAIN_MS, signal));
    } while (clock.monotonicMs() < deadlineMs && !signal.aborted);
    logger.info('command ended', { command: command.id, outcome: outcome.kind });
    this.onEvent(commandEvent(command, outcome, clock.nowMs()));
    return outcome;
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, rooms } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(Math.max(0, nextTickMs(clock.nowMs(), intervalMs) - clock.nowMs()), signal);
      this.#parts.offer({ tick: await rooms.sampler.tick(signal) });
      if (this.#isSnapshotOwed && this.#parts.length < PARTS_WAITING_MAX / 2) {
        this.#isSnapshotOwed = false;
        rooms.fingerprints().requestSnapshot();
      }
    }
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
        this.#options.logger.error('batch lost before the spool', {
          code: codeOf(error),
          reason: describeError(error),
        });
        if (part.fingerprints !== undefined) this.#isSnapshotOwed = true;
      }
    }
  }

  async #writePart({ tick, fingerprints, events = [] }: Part): Promise<void> {
    const { host, boot, intervalMs, clock, rooms } = this.#options;
    const sequence = this.#sequence + 1;
    const gaps = rooms.spool.gaps().slice(0, GAPS_PER_BATCH_MAX);
    const units = tick === undefined ? [] : [...tick.units, ...this.#units];
    const batch = {
      host,
      boot,
      sequence,
      intervalMs,
      events,
      units,
      gaps,
      wallMs: clock.nowMs(),
      monotonicMs: clock.monotonicMs(),
      readings: tick?.readings ?? [],
    };
    const bytes = encodeBatch(fingerprints === undefined ? batch : { ...batch, fingerprints });
    await rooms.spool.append(sequence, bytes);
    this.#sequence = sequence;
    if (tick !== undefined) this.#units = [];
    if (gaps.length > 0) rooms.spool.gapsTold(gaps);
    rooms.publisher.publishLive(bytes);
  }
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
