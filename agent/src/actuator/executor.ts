// In: a trusted request. Out: its outcome, recorded before and after.
// Never: performs two commands at once, or one command twice: everything here is synchronous, on
// purpose.

import type { Order, Outcome } from '@foreshadow/model';
import {
  markKnownGood,
  resolveReplacement,
  restore,
  undo,
  type ActuatorCommand,
  type CommandContext,
} from './commands/index.ts';
import { makeFolder } from './durable.ts';
import { canonicalJson } from './frames.ts';
import type { HostPolicy } from './host-policy.ts';
import {
  openLedger,
  type Ledger,
  type LedgerEntry,
  type LedgerState,
  type Transaction,
} from './ledger.ts';
import {
  fail,
  FatalError,
  isRefusal,
  refuse,
  systemCode,
  unreachable,
  type Refusal,
} from './refusal.ts';
import type { ActuatorRequest } from './request.ts';
import { openVersionStore, type VersionStore } from './versions.ts';

/** Wall time for records, monotonic time for limits. */
export interface ActuatorClock {
  nowMs(): number;
  monotonicMs(): number;
}

export interface ExecutorOptions {
  readonly policy: HostPolicy;
  readonly clock: ActuatorClock;
  /** Keyed digest of a content, the same as the fingerprints' `facts.content`. */
  readonly digestOf: (content: Uint8Array) => string;
  /** Called when a record is durable and before its effect; a test breaks in here. */
  readonly afterRecord?: (entry: LedgerEntry) => void;
}

/** Performs commands one after the other. Errors of type FatalError end the process. */
export class Executor implements Disposable {
  readonly #options: ExecutorOptions;
  readonly #ledger: Ledger;
  readonly #versions: VersionStore;

  constructor(options: ExecutorOptions, ledger: Ledger, versions: VersionStore) {
    this.#options = options;
    this.#ledger = ledger;
    this.#versions = versions;
  }

  /** The same id again gets the stored outcome; with another order it is refused. */
  execute(request: ActuatorRequest): Outcome {
    const startedMs = this.#options.clock.monotonicMs();
    this.resolveInterrupted();
    const known = this.#ledger.find(request.id);
    if (known !== undefined) return answerAgain(known, request);
    const { id, order, isDryRun } = request;
    const receivedMs = this.#options.clock.nowMs();
    let entry = this.#ledger.record({
      command: id,
      state: 'RECEIVED',
      receivedMs,
      order,
      isDryRun,
    });
    const context = this.#contextOf(entry, {
      startedMs,
      timeLimitMs: request.timeLimitMs,
      record: (state, transaction) => {
        entry = this.#ledger.record({ ...entry, state, ...(transaction && { transaction }) });
      },
    });
    const outcome = attempt(id, () => performOrder(order, context));
    this.#end(entry, outcome);
    return outcome;
  }

  /**
   * Ends, from what the disk shows, the commands which a crash interrupted. What cannot be examined
   * stays open.
   */
  resolveInterrupted(): void {
    for (const entry of this.#ledger.open()) {
      const startedMs =
        this.#options.clock.monotonicMs() - (this.#options.clock.nowMs() - entry.receivedMs);
      const context = this.#contextOf(entry, {
        startedMs,
        timeLimitMs: Infinity,
        record: () => undefined,
      });
      try {
        this.#end(entry, this.#resolve(entry, context));
      } catch (error) {
        if (error instanceof FatalError) throw error;
        // A mistake of ours, not a trouble of the disk.
        if (systemCode(error) === 'UNEXPECTED') throw error;
      }
    }
  }

  #resolve(entry: LedgerEntry, context: CommandContext): Outcome {
    if (entry.transaction !== undefined)
      return resolveReplacement(entry, entry.transaction, context);
    if (this.#versions.lastMark !== entry.command)
      return fail('INTERRUPTED', `${entry.command} was interrupted before it changed anything`);
    return {
      kind: 'done',
      tookMs: context.tookMs(),
      sentence: 'the files were marked as known-good; the count was lost in a crash',
      details: {},
    };
  }

  #end(entry: LedgerEntry, outcome: Outcome): void {
    this.#ledger.record({ ...entry, state: endState(entry, outcome), outcome });
  }

  #contextOf(entry: LedgerEntry, run: Run): CommandContext {
    const { policy, clock, digestOf } = this.#options;
    const tookMs = (): number => Math.max(0, Math.round(clock.monotonicMs() - run.startedMs));
    return {
      command: entry.command,
      isDryRun: entry.isDryRun,
      policy,
      versions: this.#versions,
      ledger: this.#ledger,
      digestOf,
      nowMs: () => clock.nowMs(),
      tookMs,
      refuseLate: () =>
        tookMs() < run.timeLimitMs
          ? undefined
          : refuse(
              'TIME_LIMIT_PASSED',
              `${entry.command} took ${tookMs()} ms of its ${run.timeLimitMs}; nothing was changed`,
            ),
      record: run.record,
    };
  }

  [Symbol.dispose](): void {
    this.#ledger[Symbol.dispose]();
  }
}

interface Run {
  readonly startedMs: number;
  readonly timeLimitMs: number;
  readonly record: (state: LedgerState, transaction?: Transaction) => void;
}

/**
 * Opens the state on disk and resolves what a crash left. @throws FatalError when the state is
 * damaged
 */
export function openExecutor(options: ExecutorOptions): Executor {
  const { policy, clock, digestOf, afterRecord } = options;
  makeFolder(policy.state);
  const { bytesMax } = policy.restore;
  const versions = openVersionStore({ folder: policy.state, digestOf, bytesMax });
  const nowMs = (): number => clock.nowMs();
  using opened = new DisposableStack();
  const ledger = opened.use(openLedger({ folder: policy.state, nowMs, afterRecord }));
  const executor = new Executor(options, ledger, versions);
  executor.resolveInterrupted();
  opened.move();
  return executor;
}

function performOrder(order: Order, context: CommandContext): Outcome {
  switch (order.kind) {
    case 'restore':
      return perform(restore, order, context);
    case 'mark-known-good':
      return perform(markKnownGood, order, context);
    case 'undo':
      return perform(undo, order, context);
    default:
      return unreachable(order);
  }
}

function perform<OrderType extends Order, Plan extends Transaction | undefined>(
  command: ActuatorCommand<OrderType, Plan>,
  order: OrderType,
  context: CommandContext,
): Outcome {
  const plan = verify(command, order, context);
  if (isRefusal(plan)) return plan;
  context.record('VERIFIED', plan);
  return command.run(plan, context);
}

/**
 * Everything that must hold before anything happens. Signatures, fences and rate caps belong here.
 */
function verify<OrderType extends Order, Plan extends Transaction | undefined>(
  command: ActuatorCommand<OrderType, Plan>,
  order: OrderType,
  context: CommandContext,
): Plan | Refusal {
  const other = context.ledger.open().find((entry) => entry.command !== context.command);
  if (other !== undefined) return refuseOpen(other);
  return context.refuseLate() ?? command.check(order, context);
}

/** Makes an outcome of an error of the system; a fatal one goes through. */
function attempt(command: string, act: () => Outcome): Outcome {
  try {
    return act();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof FatalError || code === 'UNEXPECTED') throw error;
    return fail('SYSTEM_ERROR', `${command} changed nothing: the system answered ${code}`);
  }
}

function answerAgain(known: LedgerEntry, request: ActuatorRequest): Outcome {
  const isSame =
    known.isDryRun === request.isDryRun &&
    canonicalJson(known.order) === canonicalJson(request.order);
  if (!isSame)
    return refuse(
      'COMMAND_ID_REUSED',
      `${known.command} was another order; give this one a new id`,
    );
  return known.outcome ?? refuseOpen(known);
}

function refuseOpen(entry: LedgerEntry): Refusal {
  return refuse(
    'TRANSACTION_OPEN',
    `${entry.command} was interrupted and ${entry.transaction?.path ?? 'its file'} cannot be examined; repair that first`,
  );
}

function endState(entry: LedgerEntry, outcome: Outcome): LedgerState {
  if (outcome.kind === 'refused') return 'REFUSED';
  if (outcome.kind !== 'done') return 'FAILED';
  if (entry.isDryRun) return entry.state;
  return entry.transaction?.undoes === undefined ? 'APPLIED' : 'UNDONE';
}
