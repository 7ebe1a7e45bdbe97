// In: a pid file and `/proc/<pid>/{stat,status,io}`. Out: what the process that it names, and its
// descendants, use.
// Never: reports anything while the process is not there, and never zero for what it may not read.

import type { Host, MetricName } from '@foreshadow/model';
import { reportKnown, type Collector, type Report } from './collector.ts';
import { countCpus, USER_HZ } from './cpu.ts';
import { totalMemoryBytes } from './memory.ts';
import { createProcessLedger } from './process-ledger.ts';
import { readProcessTree, type ProcessFacts } from './process-tree.ts';
import { bytesOf, keyedNumbers, textOf } from './scan.ts';

export interface ProcessCollectorOptions {
  /**
   * Holds the pid in decimal digits on its first line. Read at each tick, so a restart is followed.
   */
  readonly pidFile: string;
  /** What the tree may use; all CPUs of the host where absent. */
  readonly cpuCapacityCores?: number;
  /** As above; all memory of the host where absent. */
  readonly memoryCapacityBytes?: number;
}

const PID_FILE_BYTES_MAX = 64;
const KIBIBYTE = 1024;

// The ledger's totals: CPU ticks first, then the lines of /proc/<pid>/io. The kernel hands both
// over to a parent that waits.
const ledgerMetrics = [
  'cpu_used_seconds_total',
  'process_read_bytes_total',
  'process_written_bytes_total',
  'process_reads_total',
  'process_writes_total',
] as const satisfies readonly MetricName[];
const ioKeys = ['rchar:', 'wchar:', 'syscr:', 'syscw:'].map(bytesOf);
const statusKeys = ['RssAnon:', 'RssShmem:'].map(bytesOf);

/**
 * Measures the scope `process`. Keeps state, unlike the others: the ledger of processes that ended
 * (process-ledger.ts) and how often the pid file named another process.
 */
export function createProcessCollector(options: ProcessCollectorOptions): Collector {
  const ledger = createProcessLedger(ledgerMetrics.length);
  let measured: ProcessFacts | undefined;
  let restartCount = 0;
  return {
    name: 'process',
    metrics: [
      ...ledgerMetrics,
      'cpu_capacity_cores',
      'memory_used_bytes',
      'memory_capacity_bytes',
      'process_count',
      'process_threads',
      'process_restarts_total',
    ],
    collect(host, report) {
      const pid = readPid(host, options.pidFile);
      const tree = pid === undefined ? undefined : readProcessTree(host, pid);
      const root = tree?.[0];
      if (tree === undefined || root === undefined) return;
      if (measured !== undefined && !isSame(measured, root)) restartCount += 1;
      measured = root;

      const totals = tree.map((facts) => ({ ...facts, totals: readTotals(host, facts) }));
      const isKnown = ledgerMetrics.map((_, index) =>
        totals.every((process) => !Number.isNaN(process.totals[index])),
      );
      const sums = ledger.advance(totals);
      ledgerMetrics.forEach((metric, index) => {
        const sum = sums[index] ?? Number.NaN;
        if (isKnown[index] === true) reportKnown(report, metric, index === 0 ? sum / USER_HZ : sum);
      });
      reportKnown(report, 'memory_used_bytes', readMemoryBytes(host, tree));
      report('process_count', tree.length);
      reportKnown(report, 'process_threads', sumOf(tree.map((facts) => facts.threadCount)));
      report('process_restarts_total', restartCount);
      reportCapacity(host, report, options);
    },
  };
}

function readPid(host: Host, pidFile: string): number | undefined {
  const bytes = host.readOnce(pidFile);
  if (bytes === undefined || bytes.length > PID_FILE_BYTES_MAX) return undefined;
  const digits = /^\s*([1-9]\d{0,9})\s*(?:\n|$)/.exec(textOf(bytes))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function isSame(left: ProcessFacts, right: ProcessFacts): boolean {
  return left.pid === right.pid && left.startTime === right.startTime;
}

function readTotals(host: Host, { pid, cpuTicks }: ProcessFacts): Float64Array {
  const bytes = host.readOnce(`/proc/${pid}/io`);
  return Float64Array.of(
    cpuTicks,
    ...(bytes === undefined ? ioKeys.map(() => Number.NaN) : keyedNumbers(bytes, ioKeys)),
  );
}

/**
 * Anonymous memory of all, and shared memory of the process that maps most of it: cheap (no walk of
 * page tables, as Pss needs), leaves out files that can be given up, and does not count one shared
 * segment once for each worker. Pages that forked workers still share with their parent are counted
 * in each.
 * @returns NaN where a living process does not say
 */
function readMemoryBytes(host: Host, tree: readonly ProcessFacts[]): number {
  let anonymous = 0;
  let shared = 0;
  for (const { pid, isZombie } of tree) {
    if (isZombie) continue;
    const bytes = host.readOnce(`/proc/${pid}/status`);
    if (bytes === undefined) return Number.NaN;
    const [ownAnonymous = Number.NaN, ownShared = Number.NaN] = keyedNumbers(bytes, statusKeys);
    anonymous += ownAnonymous;
    shared = Math.max(shared, ownShared);
  }
  return (anonymous + shared) * KIBIBYTE;
}

function reportCapacity(host: Host, report: Report, options: ProcessCollectorOptions): void {
  const stat = options.cpuCapacityCores === undefined ? host.readBytes('/proc/stat') : undefined;
  const cores = options.cpuCapacityCores ?? (stat === undefined ? undefined : countCpus(stat));
  reportKnown(report, 'cpu_capacity_cores', cores);
  const info =
    options.memoryCapacityBytes === undefined ? host.readBytes('/proc/meminfo') : undefined;
  const capacityBytes =
    options.memoryCapacityBytes ?? (info === undefined ? undefined : totalMemoryBytes(info));
  reportKnown(report, 'memory_capacity_bytes', capacityBytes);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
