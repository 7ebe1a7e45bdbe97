// In: `/proc/meminfo`. Out: how the memory of the whole host is used.
// Never: guesses what is available: a kernel without MemAvailable (before 3.14) yields no used
// memory.

import type { MetricName } from '@foreshadow/model';
import { reportKnown, type Collector } from './collector.ts';
import { bytesOf, keyedNumbers } from './scan.ts';

const KIBIBYTE = 1024;

const keyedMetrics = [
  ['MemTotal:', 'memory_capacity_bytes'],
  ['MemAvailable:', 'memory_available_bytes'],
  ['MemFree:', 'memory_free_bytes'],
  ['Buffers:', 'memory_buffers_bytes'],
  ['Cached:', 'memory_cached_bytes'],
  ['Active:', 'memory_active_bytes'],
  ['Inactive:', 'memory_inactive_bytes'],
  ['AnonPages:', 'memory_anonymous_bytes'],
  ['Mapped:', 'memory_mapped_bytes'],
  ['Shmem:', 'memory_shared_bytes'],
  ['Slab:', 'memory_slab_bytes'],
  ['SReclaimable:', 'memory_slab_reclaimable_bytes'],
  ['PageTables:', 'memory_page_tables_bytes'],
  ['KernelStack:', 'memory_kernel_stack_bytes'],
  ['Dirty:', 'memory_dirty_bytes'],
  ['Writeback:', 'memory_writeback_bytes'],
  ['Committed_AS:', 'memory_committed_bytes'],
] as const satisfies readonly (readonly [string, MetricName])[];

const keys = keyedMetrics.map(([key]) => bytesOf(key));
const metrics = keyedMetrics.map(([, metric]) => metric);

export const memory: Collector = {
  name: 'memory',
  metrics: ['memory_used_bytes', ...metrics],
  collect(host, report) {
    const bytes = host.readBytes('/proc/meminfo');
    if (bytes === undefined) return;
    const kibibytes = keyedNumbers(bytes, keys);
    metrics.forEach((metric, index) =>
      reportKnown(report, metric, (kibibytes[index] ?? Number.NaN) * KIBIBYTE),
    );
    const [total = Number.NaN, available = Number.NaN] = kibibytes;
    reportKnown(report, 'memory_used_bytes', (total - available) * KIBIBYTE);
  },
};

/** Memory of the machine, from the content of `/proc/meminfo`; NaN where it does not say. */
export function totalMemoryBytes(bytes: Uint8Array): number {
  return (keyedNumbers(bytes, keys.slice(0, 1))[0] ?? Number.NaN) * KIBIBYTE;
}
