// In: process ids. Out: what the kernel says that they used.
// Never: disturbs them; it reads /proc of this machine.

import { readFileSync, readdirSync } from 'node:fs';

export interface MemoryFigures {
  /** Private anonymous memory, which the kernel cannot drop. */
  readonly anonymousMegabytes: number;
  readonly residentMegabytes: number;
}

/**
 * CPU time of all threads that live now, ns. Exact where `/proc/<pid>/stat` counts ticks of 10 ms:
 * more than an agent uses in ten seconds.
 */
export function cpuNanoseconds(processId: number): number {
  const folder = `/proc/${processId}/task`;
  return readdirSync(folder)
    .map((thread) => readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0])
    .reduce((sum, nanoseconds) => sum + Number(nanoseconds), 0);
}

export function memoryOf(processId: number): MemoryFigures {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  const megabytes = (key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1_000;
  const toDecimal = 1.024; // The kernel's kB are KiB.
  return {
    anonymousMegabytes: megabytes('RssAnon') * toDecimal,
    residentMegabytes: megabytes('VmRSS') * toDecimal,
  };
}

/** Ids of the processes whose parent is this one. Cost: a read for every process there is. */
export function childrenOf(processId: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === processId)
    .map(Number);
}

function parentOf(processId: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]); // A name may hold blanks.
  } catch {
    return undefined; // It ended meanwhile.
  }
}
