// In: nothing. Out: what a collector is, and the bounds that all of them share.
// Never: measures; the collectors beside this file do.

import type { Host, MetricName } from '@foreshadow/model';
import { CodedError } from '@foreshadow/runtime';

/**
 * A longer name of a device, interface or mount point is left out, as it would not be recognised
 * when cut.
 */
export const INSTANCE_LENGTH_MAX = 128;

/**
 * Takes one value. A collector may hand over a value that is absent as NaN only through
 * `reportKnown`.
 * @param instance device, interface or mount point; absent for the scope as a whole
 */
export type Report = (metric: MetricName, value: number, instance?: string) => void;

/** Measures one subject of the host. Counters are handed over raw; the controller derives rates. */
export interface Collector {
  /** File name, label and unit name are this same word. */
  readonly name: string;
  /** All that `collect` can ever report. */
  readonly metrics: readonly MetricName[];
  /**
   * Reports what the machine says and nothing for what it does not say. Only a collector that must
   * wait returns a promise.
   * @throws CodedError INSTANCES_OVER_BOUND after reporting as many as the bound allows
   */
  collect(host: Host, report: Report, signal: AbortSignal): void | Promise<void>;
}

/** Reports a value that was read, and nothing for one that was not (NaN). */
export function reportKnown(
  report: Report,
  metric: MetricName,
  value: number | undefined,
  instance?: string,
): void {
  if (value !== undefined && !Number.isNaN(value)) report(metric, value, instance);
}

/**
 * @throws CodedError INSTANCES_OVER_BOUND when there are more instances than the bound; the first
 * ones were reported
 */
export function requireWithinBound(what: string, count: number, bound: number): void {
  if (count <= bound) return;
  throw new CodedError(
    'INSTANCES_OVER_BOUND',
    `${what}: this host has ${count}, the first ${bound} were measured; measure a smaller scope to see the others`,
  );
}
