// Facts about the scope of a process tree: followed through restarts, absent when it is gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Host } from '@foreshadow/model';
import { createProcessCollector, type ProcessCollectorOptions } from './process.ts';
import { parseStat, PROCESSES_MAX } from './process-tree.ts';
import { bytesOf } from './scan.ts';

const PID_FILE = '/run/service.pid';
const signal = new AbortController().signal;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly startTime?: number;
  readonly state?: string;
  readonly cpuTicks?: number;
  readonly io?: string;
  readonly status?: string;
}

const statOf = ({ pid, parent, startTime = pid, state = 'S', cpuTicks = 0 }: Process): string =>
  `${pid} (a ) b (c)) ${state} ${parent} 1 1 0 -1 0 0 0 0 0 ${cpuTicks} 1 1 1 20 0 2 0 ${startTime} 9 9\n`;

/** A machine with these processes, whose pid file names `pid`. */
function hostOf(pid: number | string, processes: readonly Process[]): Host {
  const files = new Map([[PID_FILE, `${pid}\n`]]);
  for (const process of processes) {
    files.set(`/proc/${process.pid}/stat`, statOf(process));
    files.set(`/proc/${process.pid}/status`, process.status ?? 'RssAnon: 10 kB\nRssShmem: 4 kB\n');
    files.set(`/proc/${process.pid}/io`, process.io ?? 'rchar: 7\nwchar: 6\nsyscr: 5\nsyscw: 4\n');
  }
  const read = (path: string): Uint8Array | undefined => {
    const text = files.get(path);
    return text === undefined ? undefined : bytesOf(text);
  };
  return {
    readBytes: read,
    readOnce: read,
    list: () => ['self', 'net', ...processes.map((process) => `${process.pid}`)],
    statFilesystem: async () => undefined,
    inventory: async () => ({}),
  };
}

/** What each of these machines, one after the other, yields. */
function readingsOf(
  hosts: readonly Host[],
  options: Partial<ProcessCollectorOptions> = {},
): Record<string, number>[] {
  const collector = createProcessCollector({ pidFile: PID_FILE, ...options });
  return hosts.map((host) => {
    const readings: Record<string, number> = {};
    void collector.collect(host, (metric, value) => void (readings[metric] = value), signal);
    return readings;
  });
}

test('without pid file, process or sense in the file, nothing is reported', () => {
  const tree = [{ pid: 5, parent: 1 }];
  for (const named of [6, '', 'five', '-5', '5 6', '0', '99999999999', '5'.repeat(80)])
    assert.deepEqual(readingsOf([hostOf(named, tree)]), [{}]);
  assert.deepEqual(readingsOf([hostOf(5, [])]), [{}]);
});

test('a root that is a zombie is not there', () => {
  assert.deepEqual(readingsOf([hostOf(5, [{ pid: 5, parent: 1, state: 'Z' }])]), [{}]);
});

test('descendants are measured with the root, and others are not', () => {
  const [readings] = readingsOf([
    hostOf(5, [
      { pid: 1, parent: 0 },
      { pid: 5, parent: 1, cpuTicks: 97 },
      { pid: 8, parent: 7, cpuTicks: 197 },
      { pid: 7, parent: 5, cpuTicks: 0 },
      { pid: 9, parent: 1, cpuTicks: 50 },
    ]),
  ]);
  assert.deepEqual(readings, {
    cpu_used_seconds_total: 3.03,
    process_read_bytes_total: 21,
    process_written_bytes_total: 18,
    process_reads_total: 15,
    process_writes_total: 12,
    memory_used_bytes: (3 * 10 + 4) * 1024,
    process_count: 3,
    process_threads: 6,
    process_restarts_total: 0,
  });
});

test('what may not be read is absent, and the rest is reported', () => {
  const [readings] = readingsOf([hostOf(5, [{ pid: 5, parent: 1, io: '', status: '' }])]);
  assert.deepEqual(Object.keys(readings ?? {}), [
    'cpu_used_seconds_total',
    'process_count',
    'process_threads',
    'process_restarts_total',
  ]);
});

test('a zombie child has no memory and keeps its totals', () => {
  const zombie = { pid: 6, parent: 5, state: 'Z', status: '', cpuTicks: 97 };
  const [readings] = readingsOf([hostOf(5, [{ pid: 5, parent: 1 }, zombie])]);
  assert.equal(readings?.['memory_used_bytes'], 14 * 1024);
  assert.equal(readings?.['cpu_used_seconds_total'], 1.03);
});

test('a restart is counted, also with the same pid, and totals go on', () => {
  const series = readingsOf([
    hostOf(5, [{ pid: 5, parent: 1, cpuTicks: 97 }]),
    hostOf(5, []),
    hostOf(6, [{ pid: 6, parent: 1, cpuTicks: 17 }]),
    hostOf(6, [{ pid: 6, parent: 1, cpuTicks: 17, startTime: 99 }]),
    hostOf(6, [{ pid: 6, parent: 1, cpuTicks: 18, startTime: 99 }]),
  ]);
  assert.deepEqual(
    series.map((readings) => [
      readings['process_restarts_total'],
      readings['cpu_used_seconds_total'],
    ]),
    [
      [0, 1],
      [undefined, undefined],
      [1, 1.2],
      [2, 1.4],
      [2, 1.41],
    ],
  );
});

test('capacities are those which are given', () => {
  const [readings] = readingsOf([hostOf(5, [{ pid: 5, parent: 1 }])], {
    cpuCapacityCores: 0.5,
    memoryCapacityBytes: 4096,
  });
  assert.equal(readings?.['cpu_capacity_cores'], 0.5);
  assert.equal(readings?.['memory_capacity_bytes'], 4096);
});

test('a tree over the bound is refused whole, and parents in a circle end', () => {
  const many = Array.from({ length: PROCESSES_MAX }, (_, index) => ({
    pid: 10 + index,
    parent: 5,
  }));
  assert.throws(() => readingsOf([hostOf(5, [{ pid: 5, parent: 1 }, ...many])]), {
    code: 'PROCESS_TREE_OVER_BOUND',
  });
  const circle = [
    { pid: 5, parent: 6 },
    { pid: 6, parent: 5 },
  ];
  assert.equal(readingsOf([hostOf(5, circle)])[0]?.['process_count'], 2);
});

test('a stat line that is cut or garbage names no process', () => {
  const line = statOf({ pid: 5, parent: 1 });
  for (const text of ['', ')', 'x', '5 (a', '5 (a) S', '5 (a) S x', line.slice(0, -8)])
    assert.equal(parseStat(5, bytesOf(text)), undefined, text);
});
