// In: a host. Out: readings of it, one subject a collector; README.md lists them all.
// Never: starts a program, keeps what it read (but process), or reports what the machine does not
// say.

import type { Collector } from './collector.ts';
import { cpu } from './cpu.ts';
import { disk } from './disk.ts';
import { filesystem } from './filesystem.ts';
import { load } from './load.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';

/** What is measured of a whole host. */
export const hostCollectors = [
  cpu,
  load,
  memory,
  disk,
  filesystem,
  network,
] as const satisfies readonly Collector[];

export { INSTANCE_LENGTH_MAX, type Collector, type Report } from './collector.ts';
export { DISKS_MAX } from './disk.ts';
export { FILESYSTEMS_MAX } from './filesystem.ts';
export { INTERFACES_MAX } from './network.ts';
export { PROCESSES_MAX } from './process-tree.ts';
export { createProcessCollector, type ProcessCollectorOptions } from './process.ts';
