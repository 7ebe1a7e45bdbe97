// Facts about the collectors of a whole host: each column in its place, absence kept, bounds named.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FilesystemFacts, Host } from '@foreshadow/model';
import type { Collector } from './collector.ts';
import { cpu } from './cpu.ts';
import { disk, DISKS_MAX } from './disk.ts';
import { filesystem, FILESYSTEMS_MAX } from './filesystem.ts';
import { load } from './load.ts';
import { memory } from './memory.ts';
import { INTERFACES_MAX, network } from './network.ts';
import { bytesOf } from './scan.ts';

interface Machine {
  readonly files?: Readonly<Record<string, string>>;
  readonly filesystems?: Readonly<Record<string, Partial<FilesystemFacts>>>;
}

function hostOf({ files = {}, filesystems = {} }: Machine): Host {
  const read = (path: string): Uint8Array | undefined =>
    files[path] === undefined ? undefined : bytesOf(files[path]);
  const empty = { sizeBytes: 0, availableBytes: 0, freeBytes: 0, filesCount: 0, filesFreeCount: 0 };
  return {
    readBytes: read,
    readOnce: read,
    list: () => undefined,
    statFilesystem: async (path) =>
      filesystems[path] === undefined ? undefined : { ...empty, ...filesystems[path] },
    inventory: async () => ({}),
  };
}

/** `metric` or `metric instance` to value. */
async function readingsOf(
  collector: Collector,
  machine: Machine,
  signal = new AbortController().signal,
): Promise<Record<string, number>> {
  const readings: Record<string, number> = {};
  const report = (metric: string, value: number, instance?: string): void => {
    readings[instance === undefined ? metric : `${metric} ${instance}`] = value;
  };
  await collector.collect(hostOf(machine), report, signal);
  return readings;
}

test('used CPU time is all but idle and iowait, and guests count once', async () => {
  const stat = 'cpu  1000 200 300 4000 500 60 70 80 900 90\ncpu0 1 0 0\ncpu3 1 0 0\nintr 9 1 2\n';
  const readings = await readingsOf(cpu, { files: { '/proc/stat': stat } });
  assert.equal(readings['cpu_used_seconds_total'], 17.1);
  assert.equal(readings['cpu_iowait_seconds_total'], 5);
  assert.equal(readings['cpu_steal_seconds_total'], 0.8);
  assert.equal(readings['cpu_capacity_cores'], 2);
  assert.equal(readings['interrupts_total'], 9);
  assert.equal('forks_total' in readings, false);
});

test('a CPU line that is cut yields what is whole, and no sum', async () => {
  const readings = await readingsOf(cpu, { files: { '/proc/stat': 'cpu  1000 200 30' } });
  assert.deepEqual(readings, { cpu_user_seconds_total: 10, cpu_nice_seconds_total: 2 });
});

test('load averages and tasks are read', async () => {
  const files = { '/proc/loadavg': '0.07 10.02 3.00 3/94 7742\n' };
  assert.deepEqual(await readingsOf(load, { files }), {
    load_average_1m: 0.07,
    load_average_5m: 10.02,
    load_average_15m: 3,
    tasks_runnable: 3,
    tasks: 94,
  });
});

test('used memory is total less available, and absent without the latter', async () => {
  const f = async (text: string): Promise<Record<string, number>> =>
    readingsOf(memory, { files: { '/proc/meminfo': text } });
  const readings = await f('MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 40 kB\n');
  assert.equal(readings['memory_used_bytes'], 60 * 1024);
  assert.equal(readings['memory_free_bytes'], 10 * 1024);
  assert.deepEqual(await f('MemTotal: 100 kB\n'), { memory_capacity_bytes: 100 * 1024 });
});

test('whole disks are measured; partitions, memory and stacked devices are not', async () => {
  const line = (name: string): string => ` 8 0 ${name} 1 2 3 4 5 6 7 8 9 10 11 12\n`;
  const names = ['sda', 'sda1', 'loop0', 'ram0', 'zram0', 'dm-0', 'md127'];
  const readings = await readingsOf(disk, {
    files: { '/proc/diskstats': names.map(line).join('') },
  });
  assert.deepEqual(readings, {
    'disk_reads_total sda': 1,
    'disk_read_bytes_total sda': 3 * 512,
    'disk_read_seconds_total sda': 0.004,
    'disk_writes_total sda': 5,
    'disk_written_bytes_total sda': 7 * 512,
    'disk_write_seconds_total sda': 0.008,
    'disk_in_flight sda': 9,
    'disk_busy_seconds_total sda': 0.01,
    'disk_queue_seconds_total sda': 0.011,
  });
});

test('a partition is told by the name of the disk before it', async () => {
  const f = async (names: readonly string[], expected: readonly string[]): Promise<void> => {
    const content = names.map((name) => ` 8 0 ${name} 1 \n`).join('');
    const readings = await readingsOf(disk, { files: { '/proc/diskstats': content } });
    assert.deepEqual(
      Object.keys(readings),
      expected.map((name) => `disk_reads_total ${name}`),
    );
  };
  await f(['sda', 'sda1', 'sda12', 'sdaa', 'sdaa1'], ['sda', 'sdaa']);
  await f(['nvme0n1', 'nvme0n1p1', 'nvme0n10', 'nvme0n10p2'], ['nvme0n1', 'nvme0n10']);
  await f(['mmcblk0', 'mmcblk0p1', 'mmcblk0boot0'], ['mmcblk0', 'mmcblk0boot0']);
  await f(['cciss/c0d0', 'cciss/c0d0p1'], ['cciss/c0d0']);
  await f(['vda1'], ['vda1']); // Given to a guest as a whole.
});

test('interfaces but loopback are measured, also without a blank after the colon', async () => {
  const files = {
    '/proc/net/dev':
      'Inter-| Receive\n face |bytes\n    lo: 1 1 1 1\n  eth0:10 2 3 4 5 6 7 8 9 11 12 13 14\n',
  };
  assert.deepEqual(await readingsOf(network, { files }), {
    'network_received_bytes_total eth0': 10,
    'network_received_packets_total eth0': 2,
    'network_received_errors_total eth0': 3,
    'network_received_drops_total eth0': 4,
    'network_sent_bytes_total eth0': 9,
    'network_sent_packets_total eth0': 11,
    'network_sent_errors_total eth0': 12,
    'network_sent_drops_total eth0': 13,
  });
});

test('inodes without a limit, and a file system that is gone, are absent', async () => {
  const files = { '/proc/self/mounts': '/dev/a / ext4 rw 0 0\n/dev/b /b xfs rw 0 0\n' };
  const filesystems = { '/': { sizeBytes: 100, freeBytes: 30, availableBytes: 20 } };
  assert.deepEqual(await readingsOf(filesystem, { files, filesystems }), {
    'filesystem_size_bytes /': 100,
    'filesystem_used_bytes /': 70,
    'filesystem_available_bytes /': 20,
  });
});

test('a change of the mounts is seen', async () => {
  const f = async (mountPoint: string): Promise<Record<string, number>> =>
    readingsOf(filesystem, {
      files: { '/proc/self/mounts': `/dev/a ${mountPoint} ext4 rw 0 0\n` },
      filesystems: { [mountPoint]: { filesCount: 7, filesFreeCount: 0 } },
    });
  for (const mountPoint of ['/a', '/b'])
    assert.deepEqual(await f(mountPoint), {
      [`filesystem_files ${mountPoint}`]: 7,
      [`filesystem_files_free ${mountPoint}`]: 0,
    });
});

test('nothing is reported of file systems after an abort', async () => {
  const machine = {
    files: { '/proc/self/mounts': '/dev/a / ext4 rw 0 0\n' },
    filesystems: { '/': { sizeBytes: 1 } },
  };
  assert.deepEqual(await readingsOf(filesystem, machine, AbortSignal.abort()), {});
});

test('instances over the bound are named as an error, after the first were reported', async () => {
  const names = (prefix: string, bound: number): string[] =>
    Array.from({ length: bound + 1 }, (_, index) => `${prefix}${index}`);
  const disks = names('sd', DISKS_MAX);
  const mounts = names('/m', FILESYSTEMS_MAX);
  const cases: readonly [Collector, Machine, number][] = [
    [disk, { files: { '/proc/diskstats': disks.map((d) => `1 1 ${d} 5 \n`).join('') } }, DISKS_MAX],
    [
      network,
      {
        files: {
          '/proc/net/dev': names('eth', INTERFACES_MAX)
            .map((name) => `${name}: 5 \n`)
            .join(''),
        },
      },
      INTERFACES_MAX,
    ],
    [
      filesystem,
      {
        files: { '/proc/self/mounts': mounts.map((m) => `/dev${m} ${m} ext4 rw 0 0\n`).join('') },
        filesystems: Object.fromEntries(
          mounts.map((mount) => [mount, { sizeBytes: 0, filesCount: 1 }]),
        ),
      },
      FILESYSTEMS_MAX * 2,
    ],
  ];
  for (const [collector, machine, expectedCount] of cases) {
    let count = 0;
    const collect = async (): Promise<void> =>
      collector.collect(hostOf(machine), () => void (count += 1), new AbortController().signal);
    await assert.rejects(collect, { code: 'INSTANCES_OVER_BOUND' });
    assert.equal(count, expectedCount, collector.name);
  }
});
