// In: `/proc/stat`. Out: CPU time of the whole host by kind, its CPUs, and what the scheduler did.
// Never: counts a guest's time twice: the kernel has it in user and nice already.

import type { MetricName } from '@foreshadow/model';
import { reportKnown, type Collector } from './collector.ts';
import { accept, bytesOf, createScan, keyedNumbers, nextLine, nextNumber } from './scan.ts';

/**
 * Clock ticks a second in every file of `/proc`. The kernel fixes it at 100 for user space on all
 * architectures we run on.
 */
export const USER_HZ = 100;

// In the order of the columns of the line `cpu`; the two that follow, guest and guest_nice, are
// parts of the first two.
const timeMetrics = [
  'cpu_user_seconds_total',
  'cpu_nice_seconds_total',
  'cpu_system_seconds_total',
  'cpu_idle_seconds_total',
  'cpu_iowait_seconds_total',
  'cpu_irq_seconds_total',
  'cpu_softirq_seconds_total',
  'cpu_steal_seconds_total',
] as const satisfies readonly MetricName[];

const keyedMetrics = [
  ['ctxt ', 'context_switches_total'],
  ['intr ', 'interrupts_total'],
  ['processes ', 'forks_total'],
  ['procs_running ', 'processes_running'],
  ['procs_blocked ', 'processes_blocked'],
] as const satisfies readonly (readonly [string, MetricName])[];

const keys = keyedMetrics.map(([key]) => bytesOf(key));
const metricsOfKeys = keyedMetrics.map(([, metric]) => metric);
const cpuKey = bytesOf('cpu');
const wholeKey = bytesOf('cpu ');

export const cpu: Collector = {
  name: 'cpu',
  metrics: ['cpu_used_seconds_total', 'cpu_capacity_cores', ...timeMetrics, ...metricsOfKeys],
  collect(host, report) {
    const bytes = host.readBytes('/proc/stat');
    if (bytes === undefined) return;
    const scan = createScan(bytes);
    if (accept(scan, wholeKey)) {
      // Total less idle and iowait; summed, as those two may go back by a tick and the others may
      // not.
      let usedTicks = 0;
      for (const metric of timeMetrics) {
        const ticks = nextNumber(scan);
        reportKnown(report, metric, ticks / USER_HZ);
        if (metric !== 'cpu_idle_seconds_total' && metric !== 'cpu_iowait_seconds_total')
          usedTicks += ticks;
      }
      reportKnown(report, 'cpu_used_seconds_total', usedTicks / USER_HZ);
    }
    reportKnown(report, 'cpu_capacity_cores', countCpus(bytes));
    const values = keyedNumbers(bytes, keys);
    metricsOfKeys.forEach((metric, index) => reportKnown(report, metric, values[index]));
  },
};

/**
 * CPUs online, from the content of `/proc/stat`: its lines `cpu0`, `cpu1`, …
 * @returns undefined where it has none
 */
export function countCpus(bytes: Uint8Array): number | undefined {
  const scan = createScan(bytes);
  let count = 0;
  while (nextLine(scan) && accept(scan, cpuKey)) count += 1;
  return count === 0 ? undefined : count;
}
