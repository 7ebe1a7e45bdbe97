// In: the metric catalogue.
// Out: what is compared within a pair, and from which metrics each is derived.
// Never: computes; packages/series and controller/pairing do.

import type { MetricName } from './metrics.ts';

/**
 * A quantity that is meaningful to compare between two hosts. Instances of a metric are summed.
 * `level`: the metric itself. `rate`: its increase per second. Both may be divided by a capacity
 * metric.
 */
export interface ObservableSpec {
  readonly form: 'level' | 'rate';
  readonly of: MetricName;
  readonly per?: MetricName;
  readonly unit: 'ratio' | 'bytes' | 'bytes/second' | 'count' | 'count/second';
  /**
   * True when the value follows the traffic that a host carries, so that a shadow without load
   * cannot be compared.
   */
  readonly loadBound: boolean;
  /**
   * Smallest absolute difference that can matter, in the unit; deviation is absent while production
   * is below it.
   */
  readonly floor: number;
}

const catalogue = {
  cpu_used_ratio: {
    form: 'rate',
    of: 'cpu_used_seconds_total',
    per: 'cpu_capacity_cores',
    unit: 'ratio',
    loadBound: true,
    floor: 0.02,
  },
  memory_used_ratio: {
    form: 'level',
    of: 'memory_used_bytes',
    per: 'memory_capacity_bytes',
    unit: 'ratio',
    loadBound: true,
    floor: 0.02,
  },
  load_average_1m: {
    form: 'level',
    of: 'load_average_1m',
    unit: 'count',
    loadBound: true,
    floor: 0.2,
  },
  context_switches_per_second: {
    form: 'rate',
    of: 'context_switches_total',
    unit: 'count/second',
    loadBound: true,
    floor: 200,
  },
  disk_read_bytes_per_second: {
    form: 'rate',
    of: 'disk_read_bytes_total',
    unit: 'bytes/second',
    loadBound: true,
    floor: 1_000_000,
  },
  disk_written_bytes_per_second: {
    form: 'rate',
    of: 'disk_written_bytes_total',
    unit: 'bytes/second',
    loadBound: true,
    floor: 1_000_000,
  },
  filesystem_used_ratio: {
    form: 'level',
    of: 'filesystem_used_bytes',
    per: 'filesystem_size_bytes',
    unit: 'ratio',
    loadBound: false,
    floor: 0.02,
  },
  network_received_bytes_per_second: {
    form: 'rate',
    of: 'network_received_bytes_total',
    unit: 'bytes/second',
    loadBound: true,
    floor: 10_000,
  },
  network_sent_bytes_per_second: {
    form: 'rate',
    of: 'network_sent_bytes_total',
    unit: 'bytes/second',
    loadBound: true,
    floor: 10_000,
  },
  network_received_packets_per_second: {
    form: 'rate',
    of: 'network_received_packets_total',
    unit: 'count/second',
    loadBound: true,
    floor: 20,
  },
  process_read_bytes_per_second: {
    form: 'rate',
    of: 'process_read_bytes_total',
    unit: 'bytes/second',
    loadBound: true,
    floor: 1_000,
  },
  process_written_bytes_per_second: {
    form: 'rate',
    of: 'process_written_bytes_total',
    unit: 'bytes/second',
    loadBound: true,
    floor: 1_000,
  },
  process_threads: {
    form: 'level',
    of: 'process_threads',
    unit: 'count',
    loadBound: false,
    floor: 1,
  },
} as const satisfies Record<string, ObservableSpec>;

export type ObservableName = keyof typeof catalogue;
export const observables: Readonly<Record<ObservableName, ObservableSpec>> = catalogue;
// Object.keys forgets the literal types.
export const observableNames = Object.keys(catalogue) as readonly ObservableName[];

/**
 * Observables that tell how much traffic a host carries without telling what it costs. Those which
 * both hosts of a pair report must agree before load-bound observables are judged.
 */
export const loadSignals = [
  'process_read_bytes_per_second',
  'network_received_packets_per_second',
] as const satisfies readonly ObservableName[];

/** @returns undefined for a name that is not in the catalogue. */
export function parseObservableName(value: unknown): ObservableName | undefined {
  return typeof value === 'string' && Object.hasOwn(catalogue, value)
    ? (value as ObservableName)
    : undefined;
}
