// In: batches of one host, mostly in order. Out: windows over its newest points, as columns,
// without a copy.
// Never: holds more points or series than its bounds; a value that was not reported is NaN.

import type { Batch, HostId, InstanceSeries, MetricName, RawWindow } from '@foreshadow/model';

/** Points kept of each host in memory: two hours at 10 s. */
export const RING_POINTS = 720;
/**
 * Series kept of one host in memory: 6.6 MB at 720 points. The journal keeps what is refused here.
 */
export const SERIES_PER_HOST_MAX = 1_024;
const FIRST_LENGTH = 64;

interface Column {
  readonly metric: MetricName;
  readonly instance: string | undefined;
  values: Float64Array<ArrayBuffer>;
}

/**
 * Columns over one time axis, used from `#start` to `#end`. They are an eighth longer than the
 * points that they hold, so that the
 * used part slides up and moves back once in a while, and every window is one view.
 */
export class HostRing {
  readonly #host: HostId;
  readonly #points: number;
  readonly #lengthMax: number;
  #times = new Float64Array(FIRST_LENGTH);
  #columns: Column[] = [];
  #byMetric = new Map<MetricName, Map<string | undefined, Column>>();
  #start = 0;
  #end = 0;
  #intervalMs = 0;
  #refusedCount = 0;

  constructor(options: { readonly host: HostId; readonly points: number }) {
    this.#host = options.host;
    this.#points = options.points;
    this.#lengthMax = options.points + Math.max(1, Math.ceil(options.points / 8));
  }

  get pointCount(): number {
    return this.#end - this.#start;
  }
  get seriesCount(): number {
    return this.#columns.length;
  }
  /** Readings that had no place because the host has too many series. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /**
   * Puts a batch at its time; one that is older than a full ring is left out, one of the same time
   * replaces.
   */
  put(batch: Batch): void {
    if (batch.readings.length === 0) return;
    let position = this.#positionOf(batch.wallMs);
    const isNewest = position === this.#end;
    if (isNewest || this.#times[position] !== batch.wallMs) {
      if (position === this.#start && this.pointCount === this.#points) return;
      position = this.#open(position);
    }
    if (position === this.#end - 1) this.#intervalMs = batch.intervalMs;
    this.#times[position] = batch.wallMs;
    for (const column of this.#columns) column.values[position] = Number.NaN;
    for (const { metric, instance, value } of batch.readings) {
      const column = this.#columnOf(metric, instance);
      if (column === undefined) this.#refusedCount += 1;
      else column.values[position] = value;
    }
  }

  /**
   * @returns views that the next `put` may change; undefined when no point is in [startMs, endMs]
   */
  window(span: { readonly startMs: number; readonly endMs: number }): RawWindow | undefined {
    const first = this.#positionOf(span.startMs);
    let end = this.#positionOf(span.endMs);
    if (end < this.#end && this.#times[end] === span.endMs) end += 1;
    if (end <= first) return undefined;
    const series = new Map<MetricName, readonly InstanceSeries[]>();
    for (const [metric, columns] of this.#byMetric) {
      const all: InstanceSeries[] = [];
      for (const [instance, column] of columns) {
        const values = column.values.subarray(first, end);
        all.push(instance === undefined ? { values } : { instance, values });
      }
      series.set(metric, all);
    }
    const times = this.#times.subarray(first, end);
    return { host: this.#host, intervalMs: this.#intervalMs, times, series };
  }

  /** @returns the position of the first point at or after `timeMs`; `#end` when there is none */
  #positionOf(timeMs: number): number {
    if (this.#start === this.#end || (this.#times[this.#end - 1] ?? 0) < timeMs) return this.#end;
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle] ?? 0) < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Makes an empty point before `position`, drops the oldest when full. @returns where the empty
   * point is now
   */
  #open(position: number): number {
    let place = position;
    if (this.#end === this.#times.length) {
      place -= this.#start;
      this.#makeRoom();
    }
    if (place < this.#end) {
      this.#times.copyWithin(place + 1, place, this.#end);
      for (const { values } of this.#columns) values.copyWithin(place + 1, place, this.#end);
    }
    this.#end += 1;
    if (this.pointCount > this.#points) this.#start += 1;
    return place;
  }

  /**
   * Moves the points to the front; grows while below the full length; forgets series that no point
   * has any more.
   */
  #makeRoom(): void {
    const length =
      this.pointCount * 2 > this.#times.length
        ? Math.min(this.#lengthMax, this.#times.length * 2)
        : this.#times.length;
    const move = (values: Column['values']): Column['values'] => {
      const used = values.subarray(this.#start, this.#end);
      const moved = length === values.length ? values : new Float64Array(length);
      moved.set(used);
      return moved;
    };
    this.#times = move(this.#times);
    const kept = this.#columns.filter(({ values }) =>
      values.subarray(this.#start, this.#end).some((value) => !Number.isNaN(value)),
    );
    for (const column of kept) column.values = move(column.values);
    if (kept.length < this.#columns.length) this.#index(kept);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #index(columns: Column[]): void {
    this.#columns = [];
    this.#byMetric = new Map();
    for (const column of columns) this.#add(column);
  }

  #columnOf(metric: MetricName, instance: string | undefined): Column | undefined {
    const known = this.#byMetric.get(metric)?.get(instance);
    if (known !== undefined || this.#columns.length >= SERIES_PER_HOST_MAX) return known;
    const values = new Float64Array(this.#times.length).fill(Number.NaN);
    return this.#add({ metric, instance, values });
  }

  #add(column: Column): Column {
    this.#columns.push(column);
    const ofMetric = this.#byMetric.get(column.metric);
    if (ofMetric === undefined)
      this.#byMetric.set(column.metric, new Map([[column.instance, column]]));
    else ofMetric.set(column.instance, column);
    return column;
  }
}
