// In: nothing.
// Out: the catalogue of what agents measure, with the number by which each metric travels.
// Never: reuses a number. A removed metric leaves its number reserved here.

/**
 * `gauge`: level now. `counter`: ever-growing total that starts again when its owner restarts;
 * rates are derived by the controller.
 */
export type MetricKind = 'gauge' | 'counter';
export type MetricUnit = 'seconds' | 'bytes' | 'ratio' | 'count';

export interface MetricSpec {
  /** On the wire; 1 to 1023, never reused. */
  readonly id: number;
  readonly kind: MetricKind;
  readonly unit: MetricUnit;
  /**
   * Smallest step that the source itself has, in the unit; values travel as whole numbers of it.
   */
  readonly resolution: number;
  readonly meaning: string;
}

const count = (id: number, kind: MetricKind, meaning: string): MetricSpec => ({
  id,
  kind,
  unit: 'count',
  resolution: 1,
  meaning,
});
const ticks = (id: number, meaning: string): MetricSpec => ({
  id,
  kind: 'counter',
  unit: 'seconds',
  resolution: 0.01,
  meaning,
});
const millis = (id: number, meaning: string): MetricSpec => ({
  id,
  kind: 'counter',
  unit: 'seconds',
  resolution: 0.001,
  meaning,
});
const kibibytes = (id: number, meaning: string): MetricSpec => ({
  id,
  kind: 'gauge',
  unit: 'bytes',
  resolution: 1024,
  meaning,
});
const bytesTotal = (id: number, meaning: string, resolution = 1): MetricSpec => ({
  id,
  kind: 'counter',
  unit: 'bytes',
  resolution,
  meaning,
});
const load = (id: number, meaning: string): MetricSpec => ({
  id,
  kind: 'gauge',
  unit: 'count',
  resolution: 0.01,
  meaning,
});

const catalogue = {
  // The two capacities and two uses which every scope reports, so that pairs are compared by ratio.
  cpu_used_seconds_total: ticks(
    1,
    'CPU time spent by the scope: everything but idle and waiting for I/O.',
  ),
  cpu_capacity_cores: {
    id: 2,
    kind: 'gauge',
    unit: 'count',
    resolution: 0.01,
    meaning: 'CPUs that the scope may use.',
  },
  memory_used_bytes: kibibytes(
    3,
    'Memory of the scope that cannot be given up; for a host, total less available.',
  ),
  memory_capacity_bytes: kibibytes(4, 'Memory that the scope may use.'),

  cpu_user_seconds_total: ticks(10, 'CPU time in user mode.'),
  cpu_nice_seconds_total: ticks(11, 'CPU time in user mode at low priority.'),
  cpu_system_seconds_total: ticks(12, 'CPU time in the kernel.'),
  cpu_idle_seconds_total: ticks(13, 'CPU time idle.'),
  cpu_iowait_seconds_total: ticks(14, 'CPU time idle while I/O was outstanding.'),
  cpu_irq_seconds_total: ticks(15, 'CPU time in interrupts.'),
  cpu_softirq_seconds_total: ticks(16, 'CPU time in soft interrupts.'),
  cpu_steal_seconds_total: ticks(17, 'CPU time that the hypervisor gave to others.'),
  context_switches_total: count(18, 'counter', 'Context switches.'),
  interrupts_total: count(19, 'counter', 'Interrupts served.'),
  forks_total: count(20, 'counter', 'Processes created.'),
  processes_running: count(21, 'gauge', 'Processes that run or could run now.'),
  processes_blocked: count(22, 'gauge', 'Processes that wait for I/O.'),

  load_average_1m: load(30, 'Mean run-queue length over one minute.'),
  load_average_5m: load(31, 'Mean run-queue length over five minutes.'),
  load_average_15m: load(32, 'Mean run-queue length over fifteen minutes.'),
  tasks_runnable: count(33, 'gauge', 'Scheduling entities that are runnable.'),
  tasks: count(34, 'gauge', 'Scheduling entities that exist.'),

  memory_available_bytes: kibibytes(40, 'Memory that can be had without swapping.'),
  memory_free_bytes: kibibytes(41, 'Memory in no use.'),
  memory_buffers_bytes: kibibytes(42, 'Buffers of block devices.'),
  memory_cached_bytes: kibibytes(43, 'Page cache.'),
  memory_active_bytes: kibibytes(44, 'Memory used recently.'),
  memory_inactive_bytes: kibibytes(45, 'Memory not used recently.'),
  memory_anonymous_bytes: kibibytes(46, 'Memory with no file behind it.'),
  memory_mapped_bytes: kibibytes(47, 'Files mapped into memory.'),
  memory_shared_bytes: kibibytes(48, 'Shared memory and tmpfs.'),
  memory_slab_bytes: kibibytes(49, 'Kernel data structures.'),
  memory_slab_reclaimable_bytes: kibibytes(50, 'Kernel data structures that can be given up.'),
  memory_page_tables_bytes: kibibytes(51, 'Page tables.'),
  memory_kernel_stack_bytes: kibibytes(52, 'Kernel stacks.'),
  memory_dirty_bytes: kibibytes(53, 'Memory waiting to be written.'),
  memory_writeback_bytes: kibibytes(54, 'Memory being written.'),
  memory_committed_bytes: kibibytes(55, 'Memory promised to processes.'),

  disk_reads_total: count(60, 'counter', 'Reads completed, by device.'),
  disk_read_bytes_total: bytesTotal(61, 'Bytes read, by device.', 512),
  disk_read_seconds_total: millis(62, 'Time spent by reads, by device.'),
  disk_writes_total: count(63, 'counter', 'Writes completed, by device.'),
  disk_written_bytes_total: bytesTotal(64, 'Bytes written, by device.', 512),
  disk_write_seconds_total: millis(65, 'Time spent by writes, by device.'),
  disk_in_flight: count(66, 'gauge', 'Requests in flight, by device.'),
  disk_busy_seconds_total: millis(67, 'Time with at least one request in flight, by device.'),
  disk_queue_seconds_total: millis(68, 'Time weighted by the requests in flight, by device.'),

  filesystem_size_bytes: kibibytes(70, 'Size, by mount point.'),
  filesystem_used_bytes: kibibytes(71, 'Size less free, by mount point.'),
  filesystem_available_bytes: kibibytes(72, 'Available to unprivileged users, by mount point.'),
  filesystem_files: count(
    73,
    'gauge',
    'Inodes, by mount point; absent where the file system has no limit.',
  ),
  filesystem_files_free: count(74, 'gauge', 'Free inodes, by mount point.'),

  network_received_bytes_total: bytesTotal(80, 'Bytes received, by interface.'),
  network_received_packets_total: count(81, 'counter', 'Packets received, by interface.'),
  network_received_errors_total: count(82, 'counter', 'Receive errors, by interface.'),
  network_received_drops_total: count(83, 'counter', 'Packets dropped on receipt, by interface.'),
  network_sent_bytes_total: bytesTotal(84, 'Bytes sent, by interface.'),
  network_sent_packets_total: count(85, 'counter', 'Packets sent, by interface.'),
  network_sent_errors_total: count(86, 'counter', 'Send errors, by interface.'),
  network_sent_drops_total: count(87, 'counter', 'Packets dropped on sending, by interface.'),

  process_count: count(100, 'gauge', 'Processes of the measured tree.'),
  process_threads: count(101, 'gauge', 'Threads of the measured tree.'),
  process_read_bytes_total: bytesTotal(
    102,
    'Bytes that the tree read by system calls, from sockets and files alike.',
  ),
  process_written_bytes_total: bytesTotal(
    103,
    'Bytes that the tree wrote by system calls, to sockets and files alike.',
  ),
  process_reads_total: count(104, 'counter', 'Read system calls of the tree.'),
  process_writes_total: count(105, 'counter', 'Write system calls of the tree.'),
  process_restarts_total: count(106, 'counter', 'Times that the pid file named another process.'),
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof catalogue;
export const metrics: Readonly<Record<MetricName, MetricSpec>> = catalogue;
// Object.keys forgets the literal types that it was given.
export const metricNames = Object.keys(catalogue) as readonly MetricName[];

const nameById = new Map<number, MetricName>(metricNames.map((name) => [metrics[name].id, name]));

/** @returns undefined for a number that this version does not know (a newer agent's metric). */
export function metricNameOf(id: number): MetricName | undefined {
  return nameById.get(id);
}

/**
 * One value before it is stamped. `instance` names the device, interface or mount point; absent for
 * the scope as a whole.
 */
export interface Reading {
  readonly metric: MetricName;
  readonly instance?: string;
  readonly value: number;
}
