// In: what the actuator is about to do, and what became of it. Out: the same after a crash.
// Never: lets an effect happen before its record is on the disk, or forgets an outcome within its
// bound.
//
//   state/ledger.jsonl            one record a line, append-only, fsynced, sequence numbers rise
//   state/ledger.previous.jsonl   what the ledger was before it was last shortened
//
//   RECEIVED → VERIFIED → PREPARED → APPLYING → APPLIED | UNDONE      REFUSED and FAILED may follow
//   any of the first four.

import { constants, fstatSync, ftruncateSync, linkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandId, ItemKey, Order, Outcome } from '@foreshadow/model';
import { hold, readAll, replaceDurably, sync, syncFolder, writeAll, type Held } from './durable.ts';
import { isRecord } from './request.ts';
import { FatalError } from './refusal.ts';

export const LEDGER_BYTES_MAX = 8 * 1024 * 1024;
/**
 * Ended commands that a shortening keeps: so many with an effect, and so many that were refused.
 */
export const OUTCOMES_KEPT_MAX = 500;

/** The signatures and the confirmation of a later issue stand between VERIFIED and APPLYING. */
export const ledgerStates = [
  'RECEIVED',
  'VERIFIED',
  'PREPARED',
  'APPLYING',
  'APPLIED',
  'REFUSED',
  'FAILED',
  'UNDONE',
] as const;
export type LedgerState = (typeof ledgerStates)[number];

/** One replaced file. */
export interface Transaction {
  readonly item: ItemKey;
  readonly path: string;
  readonly replacedDigest: string;
  readonly writtenDigest: string;
  /** The command whose effect this one takes back. */
  readonly undoes?: CommandId;
}

/** What is known of one command. It is open until it has an outcome. */
export interface LedgerEntry {
  readonly command: CommandId;
  readonly state: LedgerState;
  /** When it was first recorded, epoch ms. */
  readonly receivedMs: number;
  readonly order: Order;
  readonly isDryRun: boolean;
  readonly transaction?: Transaction;
  readonly outcome?: Outcome;
}

/**
 * A line of the file: the sequence and time of the record, and the whole entry, so that each line
 * stands alone.
 */
interface LedgerRecord extends LedgerEntry {
  readonly sequence: number;
  readonly atMs: number;
}

export interface LedgerOptions {
  readonly folder: string;
  readonly nowMs: () => number;
  /** Called when a record is durable and before its effect; a test breaks in here. */
  readonly afterRecord?: ((entry: LedgerEntry) => void) | undefined;
}

export class Ledger implements Disposable {
  readonly #options: LedgerOptions;
  readonly #entries = new Map<CommandId, LedgerEntry>();
  #file: Held;
  #sizeBytes = 0;
  #sequence = 0;

  constructor(options: LedgerOptions, file: Held) {
    this.#options = options;
    this.#file = file;
  }

  find(command: CommandId): LedgerEntry | undefined {
    return this.#entries.get(command);
  }

  /** Commands without an outcome. */
  open(): readonly LedgerEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.outcome === undefined);
  }

  /** @returns the command that took back the effect of `command` */
  undoneBy(command: CommandId): CommandId | undefined {
    return [...this.#entries.values()].find(
      (entry) => entry.state === 'UNDONE' && entry.transaction?.undoes === command,
    )?.command;
  }

  /**
   * Makes a record durable. @throws FatalError LEDGER_WRITE_FAILED: nothing may be done any more
   */
  record(entry: LedgerEntry): LedgerEntry {
    if (entry.state === 'RECEIVED' && this.#sizeBytes > LEDGER_BYTES_MAX) this.#shorten();
    const sequence = this.#sequence + 1;
    const record: LedgerRecord = { sequence, atMs: this.#options.nowMs(), ...entry };
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      if (fstatSync(this.#file.descriptor).size !== this.#sizeBytes)
        throw new Error('another process writes it too');
      writeAll(this.#file.descriptor, line);
      sync(this.#file.descriptor);
    } catch (cause) {
      throw new FatalError('LEDGER_WRITE_FAILED', `cannot record ${entry.state} in the ledger`, {
        cause,
      });
    }
    this.#sizeBytes += line.length;
    this.#sequence = sequence;
    this.#entries.set(entry.command, entry);
    this.#options.afterRecord?.(entry);
    return entry;
  }

  /** Reads what the file holds; a torn last line, the rest of a crash, is cut off. */
  load(): void {
    const bytes = readAll(this.#file.descriptor, 2 * LEDGER_BYTES_MAX);
    if (bytes === undefined) throw damaged('it is too large');
    const end = bytes.lastIndexOf(0x0a) + 1;
    const lines = Buffer.from(bytes.subarray(0, end)).toString().split('\n').slice(0, -1);
    for (const [index, line] of lines.entries()) {
      const record = parseRecord(line);
      if (record === undefined || record.sequence <= this.#sequence)
        throw damaged(`line ${index + 1} is not what the actuator wrote there`);
      const { sequence, atMs: _, ...entry } = record;
      this.#sequence = sequence;
      this.#entries.set(entry.command, entry);
    }
    if (end < bytes.length) ftruncateSync(this.#file.descriptor, end);
    sync(this.#file.descriptor);
    this.#sizeBytes = end;
  }

  /**
   * Keeps the last record of what is open and of the youngest outcomes; the old file stays beside
   * it.
   */
  #shorten(): void {
    const kept = keptEntries([...this.#entries.values()]);
    const path = join(this.#options.folder, LEDGER_NAME);
    const previous = join(this.#options.folder, PREVIOUS_NAME);
    const first = this.#sequence - kept.length + 1;
    const lines = kept.map(
      (entry, index) =>
        `${JSON.stringify({ sequence: first + index, atMs: this.#options.nowMs(), ...entry })}\n`,
    );
    rmSync(previous, { force: true });
    linkSync(path, previous);
    replaceDurably(path, Buffer.from(lines.join('')));
    this.#file[Symbol.dispose]();
    this.#file = openLedgerFile(this.#options.folder);
    this.#sizeBytes = fstatSync(this.#file.descriptor).size;
    this.#entries.clear();
    for (const entry of kept) this.#entries.set(entry.command, entry);
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

const LEDGER_NAME = 'ledger.jsonl';
const PREVIOUS_NAME = 'ledger.previous.jsonl';

/** @throws FatalError LEDGER_DAMAGED when a whole line is not one that this program wrote */
export function openLedger(options: LedgerOptions): Ledger {
  using opened = new DisposableStack();
  const ledger = opened.use(new Ledger(options, openLedgerFile(options.folder)));
  ledger.load();
  syncFolder(options.folder);
  opened.move();
  return ledger;
}

function openLedgerFile(folder: string): Held {
  const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  return hold(join(folder, LEDGER_NAME), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
}

/**
 * Open entries, the youngest OUTCOMES_KEPT_MAX refused ones, and as many others: refusals never
 * push out what had an effect.
 */
export function keptEntries(entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
  const ended = entries.filter((entry) => entry.outcome !== undefined);
  const kept = new Set([
    ...entries.filter((entry) => entry.outcome === undefined),
    ...ended.filter((entry) => entry.state === 'REFUSED').slice(-OUTCOMES_KEPT_MAX),
    ...ended.filter((entry) => entry.state !== 'REFUSED').slice(-OUTCOMES_KEPT_MAX),
  ]);
  return entries.filter((entry) => kept.has(entry));
}

function parseRecord(line: string): LedgerRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value) || !ledgerStates.some((state) => state === value['state']))
      return undefined;
    const { sequence, command, order, isDryRun } = value;
    const isWhole =
      Number.isInteger(sequence) && typeof command === 'string' && typeof isDryRun === 'boolean';
    // The file is this program's own and 0600: its outline is checked, its inside is as it was
    // written.
    return isWhole && isRecord(order) ? (value as unknown as LedgerRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function damaged(problem: string): FatalError {
  return new FatalError(
    'LEDGER_DAMAGED',
    `the ledger is damaged: ${problem}; keep a copy for the investigation, then move it away`,
  );
}
