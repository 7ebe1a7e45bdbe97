// In: `/proc/diskstats`. Out: what each whole disk did.
// Never: counts a byte twice: partitions, and devices made of other devices, are left out.

import type { MetricName } from '@foreshadow/model';
import {
  INSTANCE_LENGTH_MAX,
  reportKnown,
  requireWithinBound,
  type Collector,
} from './collector.ts';
import { createScan, nextLine, nextNumber, nextWord, skipWords } from './scan.ts';

/**
 * Disks measured; beyond it the rest is left out and the collector fails with INSTANCES_OVER_BOUND.
 */
export const DISKS_MAX = 64;

const same = (value: number): number => value;
// In this file always, whatever the device has.
const bytes = (sectors: number): number => sectors * 512;
const seconds = (milliseconds: number): number => milliseconds / 1_000;

/**
 * Memory (ram, zram), files (loop), and device mapper and RAID, whose I/O is counted again on the
 * disks beneath them.
 */
const notDisks = /^(?:loop|ram|zram|dm-|md)\d/;

// Columns after the name, in order; undefined where we have no metric (merged requests).
const columns = [
  ['disk_reads_total', same],
  undefined,
  ['disk_read_bytes_total', bytes],
  ['disk_read_seconds_total', seconds],
  ['disk_writes_total', same],
  undefined,
  ['disk_written_bytes_total', bytes],
  ['disk_write_seconds_total', seconds],
  ['disk_in_flight', same],
  ['disk_busy_seconds_total', seconds],
  ['disk_queue_seconds_total', seconds],
] as const satisfies readonly (readonly [MetricName, (value: number) => number] | undefined)[];

export const disk: Collector = {
  name: 'disk',
  metrics: columns.flatMap((column) => (column === undefined ? [] : [column[0]])),
  collect(host, report) {
    const content = host.readBytes('/proc/diskstats');
    if (content === undefined) return;
    const scan = createScan(content);
    let whole = '';
    let count = 0;
    do {
      skipWords(scan, 2); // Major and minor number.
      const name = nextWord(scan, INSTANCE_LENGTH_MAX);
      if (name === undefined || notDisks.test(name) || isPartition(name, whole)) continue;
      whole = name;
      count += 1;
      if (count > DISKS_MAX) continue;
      for (const column of columns) {
        const value = nextNumber(scan);
        if (column !== undefined) reportKnown(report, column[0], column[1](value), name);
      }
    } while (nextLine(scan));
    requireWithinBound('disks', count, DISKS_MAX);
  },
};

/**
 * Partitions follow their disk and are named after it, as the kernel does: `sda1`, and `nvme0n1p1`
 * where the disk's own name ends with a digit.
 */
function isPartition(name: string, whole: string): boolean {
  if (whole === '' || !name.startsWith(whole)) return false;
  return (/\d$/.test(whole) ? /^p\d+$/ : /^\d+$/).test(name.slice(whole.length));
}
