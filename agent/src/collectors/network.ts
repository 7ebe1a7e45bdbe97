// In: `/proc/net/dev`. Out: what each network interface but loopback carried.
// Never: says whether an interface is real: a bridge and its members are all reported, by name.

import type { MetricName } from '@foreshadow/model';
import {
  INSTANCE_LENGTH_MAX,
  reportKnown,
  requireWithinBound,
  type Collector,
} from './collector.ts';
import { createScan, nextLine, nextName, nextNumber } from './scan.ts';

/**
 * Interfaces measured; beyond it the rest is left out and the collector fails with
 * INSTANCES_OVER_BOUND.
 */
export const INTERFACES_MAX = 64;

// Columns after the name, in order; undefined where we have no metric (fifo, frame, compressed,
// multicast).
const columns = [
  'network_received_bytes_total',
  'network_received_packets_total',
  'network_received_errors_total',
  'network_received_drops_total',
  undefined,
  undefined,
  undefined,
  undefined,
  'network_sent_bytes_total',
  'network_sent_packets_total',
  'network_sent_errors_total',
  'network_sent_drops_total',
] as const satisfies readonly (MetricName | undefined)[];

export const network: Collector = {
  name: 'network',
  metrics: columns.filter((metric) => metric !== undefined),
  collect(host, report) {
    const bytes = host.readBytes('/proc/net/dev');
    if (bytes === undefined) return;
    const scan = createScan(bytes);
    let count = 0;
    do {
      // Undefined for the two lines of headings, which have no colon.
      const name = nextName(scan, INSTANCE_LENGTH_MAX);
      if (name === undefined || name === 'lo') continue;
      count += 1;
      if (count > INTERFACES_MAX) continue;
      for (const metric of columns) {
        const value = nextNumber(scan);
        if (metric !== undefined) reportKnown(report, metric, value, name);
      }
    } while (nextLine(scan));
    requireWithinBound('network interfaces', count, INTERFACES_MAX);
  },
};
