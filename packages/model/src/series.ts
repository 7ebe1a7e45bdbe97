// In: nothing. Out: the shape of measured series in memory.
// Never: fills a gap; an absent value is NaN.

import type { HostId } from './ids.ts';
import type { MetricName } from './metrics.ts';

/**
 * One metric of one instance; `values[i]` belongs to `times[i]` of the window, NaN where it was not
 * reported.
 */
export interface InstanceSeries {
  /** Device, interface or mount point; absent for the scope as a whole. */
  readonly instance?: string;
  readonly values: Float64Array;
}

/**
 * What one host reported in a span of time: raw counters and gauges. Valid until the next call of
 * its reader.
 */
export interface RawWindow {
  readonly host: HostId;
  /** Sampling interval last reported, ms. */
  readonly intervalMs: number;
  /** Wall time of each batch, epoch ms, ascending; n points. */
  readonly times: Float64Array;
  readonly series: ReadonlyMap<MetricName, readonly InstanceSeries[]>;
}
