// In: encoded batches, and marks of what the controller holds durably.
// Out: batches that it does not hold yet.
// Never: grows beyond its bound, or forgets a batch without saying so in a gap.
//
// Records survive the process (page cache); they are made durable when a segment is closed. What a
// power cut may take is therefore the open segment at most; the controller then sees a new boot,
// and the loss is its gap.

import { join } from 'node:path';
import type { BootId, Gap, LowWaterMark } from '@foreshadow/model';
import {
  CodedError,
  codeOf,
  describeError,
  type AppendFile,
  type Disk,
  type Logger,
} from '@foreshadow/runtime';
import {
  SEGMENT_HEADER_BYTES,
  decodeSegment,
  encodeRecord,
  encodeSegmentHeader,
  type SpoolRecord,
} from './segment.ts';

export const SEGMENT_BYTES_MAX = 1024 * 1024;
/**
 * A segment that the controller holds whole is dropped once it is this large; before, dropping
 * costs more than keeping.
 */
export const SEGMENT_DROP_BYTES = 64 * 1024;
export const GAPS_KEPT_MAX = 64;

/** Where a batch stands among those of its host. */
export interface SpoolPosition {
  readonly boot: BootId;
  readonly sequence: number;
}

interface Segment {
  readonly number: number;
  readonly boot: BootId;
  readonly firstSequence: number;
  lastSequence: number;
  sizeBytes: number;
}

export interface SpoolOptions {
  readonly folder: string;
  readonly boot: BootId;
  readonly bytesMax: number;
  readonly disk: Disk;
  readonly logger: Logger;
}

/** @throws CodedError SPOOL_UNUSABLE when the folder cannot be written */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  try {
    await options.disk.makeFolder(options.folder);
    const spool = new Spool(options);
    for (const name of await options.disk.list(options.folder)) await spool.load(name);
    return spool;
  } catch (cause) {
    const message = `spool folder ${options.folder} cannot be used; the agent needs to read and write it`;
    throw new CodedError('SPOOL_UNUSABLE', message, { cause });
  }
}

/** Opened by `openSpool`. */
export class Spool implements AsyncDisposable {
  readonly #options: SpoolOptions;
  readonly #closed: Segment[] = [];
  readonly #marks = new Map<BootId, number>();
  #open: { segment: Segment; file: AppendFile } | undefined;
  #gaps: Gap[] = [];
  #nextNumber = 1;
  #droppedCount = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  get sizeBytes(): number {
    return this.#segments().reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }
  /** Batches that had to be dropped since the start, because the spool was full. */
  get droppedCount(): number {
    return this.#droppedCount;
  }
  /** Batches not yet covered by a mark. */
  get pendingCount(): number {
    return this.#segments().reduce((sum, segment) => sum + this.#pendingIn(segment), 0);
  }

  /** Takes over one file of an earlier run; called by `openSpool`. */
  async load(name: string): Promise<void> {
    const number = Number(/^(\d{8})\.spool$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(number)) return;
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    const path = this.#path(number);
    const file =
      (await this.#options.disk.read(path, { bytesMax: 2 * SEGMENT_BYTES_MAX })) ??
      new Uint8Array(0);
    const { boot, records, soundBytes } = decodeSegment(file);
    const [first, last] = [records[0], records.at(-1)];
    if (soundBytes < file.length) {
      this.#options.logger.warn('spool segment damaged at its end; the rest is kept', {
        path,
        lostBytes: file.length - soundBytes,
      });
    }
    if (boot === undefined || first === undefined || last === undefined) {
      await this.#options.disk.remove(path);
      return;
    }
    this.#tellMissing(boot, first.sequence);
    this.#closed.push({
      number,
      boot,
      firstSequence: first.sequence,
      lastSequence: last.sequence,
      sizeBytes: file.length,
    });
  }

  /**
   * Keeps a batch of the present boot; sequences rise by one. @throws the disk's error; the batch
   * is then not kept
   */
  async append(sequence: number, bytes: Uint8Array): Promise<void> {
    const record = encodeRecord(sequence, bytes);
    const open = this.#open ?? (await this.#openSegment(sequence));
    try {
      open.file.append(record);
    } catch (error) {
      // Half a record would hide all that came after it.
      open.file.truncate(open.segment.sizeBytes);
      throw error;
    }
    open.segment.lastSequence = sequence;
    open.segment.sizeBytes += record.length;
    if (open.segment.sizeBytes >= SEGMENT_BYTES_MAX) await this.#closeSegment();
    while (this.sizeBytes > this.#options.bytesMax && this.#closed.length > 0)
      await this.#dropOldest();
  }

  /**
   * Forgets what the controller holds durably. Marks of boots that are not in the spool are
   * ignored.
   */
  async trim(mark: LowWaterMark): Promise<void> {
    if (mark.sequence > (this.#marks.get(mark.boot) ?? 0))
      this.#marks.set(mark.boot, mark.sequence);
    const segment = this.#open?.segment;
    if (
      segment !== undefined &&
      this.#pendingIn(segment) === 0 &&
      segment.sizeBytes >= SEGMENT_DROP_BYTES
    ) {
      await this.#closeSegment();
    }
    for (const closed of this.#closed.filter((candidate) => this.#pendingIn(candidate) === 0))
      await this.#remove(closed);
    for (const boot of this.#marks.keys()) {
      if (boot !== this.#options.boot && !this.#closed.some((closed) => closed.boot === boot))
        this.#marks.delete(boot);
    }
  }

  /** The oldest batch that no mark covers; undefined when every one is. */
  oldestPending(): SpoolPosition | undefined {
    const segment = this.#segments().find((candidate) => this.#pendingIn(candidate) > 0);
    if (segment === undefined) return undefined;
    const sequence = Math.max(segment.firstSequence, this.#markOf(segment.boot) + 1);
    return { boot: segment.boot, sequence };
  }

  /**
   * Batches that no mark covers, oldest first; those behind `after`, where it is given and its
   * segment is still there.
   * Cost: reads the segments that hold them, at most 1 MiB each.
   */
  async readPending(options: {
    readonly after?: SpoolPosition;
    readonly countMax: number;
  }): Promise<readonly SpoolRecord[]> {
    const { after, countMax } = options;
    const found: SpoolRecord[] = [];
    const segments = this.#segments();
    const start = segments.findLastIndex(
      ({ boot, firstSequence }) => boot === after?.boot && firstSequence <= after.sequence,
    );
    for (const segment of segments.slice(Math.max(0, start))) {
      if (this.#pendingIn(segment) === 0) continue;
      const past = segment.boot === after?.boot ? after.sequence : 0;
      const least = Math.max(past, this.#markOf(segment.boot));
      const records = (await this.#readSegment(segment)).filter(({ sequence }) => sequence > least);
      found.push(...records.slice(0, countMax - found.length));
      if (found.length >= countMax) break;
    }
    return found;
  }

  /**
   * Gaps not told yet. They are told again until `append` has kept a batch that carries them, hence
   * the two steps.
   */
  gaps(): readonly Gap[] {
    return this.#gaps;
  }
  /**
   * At each connection: what was trimmed can not be sent again, should the controller have lost its
   * store since.
   */
  tellTrimmed(): void {
    const trimmed = [...this.#marks].map(([boot, lastSequence]) => ({
      boot,
      firstSequence: 1,
      lastSequence,
    }));
    this.#addGaps(trimmed);
  }
  gapsTold(gaps: readonly Gap[]): void {
    this.#gaps = this.#gaps.filter((gap) => !gaps.includes(gap));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeSegment();
  }

  #segments(): readonly Segment[] {
    return this.#open === undefined ? this.#closed : [...this.#closed, this.#open.segment];
  }
  #markOf(boot: BootId): number {
    return this.#marks.get(boot) ?? 0;
  }
  #pendingIn(segment: Segment): number {
    return Math.max(
      0,
      segment.lastSequence - Math.max(this.#markOf(segment.boot), segment.firstSequence - 1),
    );
  }
  #path(number: number): string {
    return join(this.#options.folder, `${String(number).padStart(8, '0')}.spool`);
  }

  async #openSegment(firstSequence: number): Promise<{ segment: Segment; file: AppendFile }> {
    const { boot, disk } = this.#options;
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const file = await disk.openAppend(this.#path(number));
    try {
      file.append(encodeSegmentHeader(boot));
    } catch (error) {
      file.close();
      await disk.remove(this.#path(number));
      throw error;
    }
    const segment = {
      number,
      boot,
      firstSequence,
      lastSequence: firstSequence - 1,
      sizeBytes: SEGMENT_HEADER_BYTES,
    };
    this.#open = { segment, file };
    return this.#open;
  }

  async #closeSegment(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#closed.push(open.segment);
    try {
      await open.file.sync();
    } catch (error) {
      // The batches are kept as long as the machine lives; what holds them must not be lost for it.
      this.#options.logger.warn('spool segment may not outlive a power cut', {
        code: codeOf(error),
        reason: describeError(error),
      });
    } finally {
      open.file.close();
    }
  }

  /** Batches of an earlier run that no file holds any more: unsaid, marks would wait for them. */
  #tellMissing(boot: BootId, nextSequence: number): void {
    const before = this.#closed.findLast((segment) => segment.boot === boot)?.lastSequence ?? 0;
    if (before + 1 < nextSequence)
      this.#addGaps([{ boot, firstSequence: before + 1, lastSequence: nextSequence - 1 }]);
  }

  #addGaps(gaps: readonly Gap[]): void {
    this.#gaps = [...this.#gaps, ...gaps].slice(-GAPS_KEPT_MAX);
  }

  async #readSegment(segment: Segment): Promise<readonly SpoolRecord[]> {
    const bytes = await this.#options.disk.read(this.#path(segment.number), {
      bytesMax: 2 * SEGMENT_BYTES_MAX,
    });
    return bytes === undefined ? [] : decodeSegment(bytes).records;
  }

  async #dropOldest(): Promise<void> {
    const [oldest] = this.#closed;
    if (oldest === undefined) return;
    const lost = this.#pendingIn(oldest);
    if (lost > 0) {
      this.#droppedCount += lost;
      // From the mark on: it then covers earlier gaps too, should the batch that carried them be
      // dropped in turn.
      const firstSequence = this.#markOf(oldest.boot) + 1;
      const gap = { boot: oldest.boot, firstSequence, lastSequence: oldest.lastSequence };
      this.#addGaps([gap]);
      this.#options.logger.warn('spool full; oldest batches dropped', { lost, code: 'SPOOL_FULL' });
    }
    await this.#remove(oldest);
  }

  async #remove(segment: Segment): Promise<void> {
    const index = this.#closed.indexOf(segment);
    if (index < 0) return; // Two marks may trim at the same time.
    this.#closed.splice(index, 1);
    try {
      await this.#options.disk.remove(this.#path(segment.number));
    } catch (error) {
      this.#options.logger.warn('spool segment could not be removed', {
        code: codeOf(error),
        reason: describeError(error),
      });
    }
  }
}
