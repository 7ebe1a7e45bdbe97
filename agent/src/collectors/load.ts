// In: `/proc/loadavg`, such as `0.07 0.02 0.00 3/94 7742`. Out: load averages and the number of
// tasks.
// Never: divides by CPUs; that is for whoever compares.

import { reportKnown, type Collector } from './collector.ts';
import { createScan, nextDecimal, nextNumber } from './scan.ts';

const SLASH = 0x2f;

export const load: Collector = {
  name: 'load',
  metrics: ['load_average_1m', 'load_average_5m', 'load_average_15m', 'tasks_runnable', 'tasks'],
  collect(host, report) {
    const bytes = host.readBytes('/proc/loadavg');
    if (bytes === undefined) return;
    const scan = createScan(bytes);
    reportKnown(report, 'load_average_1m', nextDecimal(scan));
    reportKnown(report, 'load_average_5m', nextDecimal(scan));
    reportKnown(report, 'load_average_15m', nextDecimal(scan));
    reportKnown(report, 'tasks_runnable', nextNumber(scan, SLASH));
    reportKnown(report, 'tasks', nextNumber(scan));
  },
};
