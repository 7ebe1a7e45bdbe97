// In: `/proc/<pid>/stat` of every process. Out: one process and all its descendants.
// Never: asks `/proc/<pid>/task/*/children`: kernels without CONFIG_PROC_CHILDREN lack it, and
// where it exists it may leave out a living child while another exits (man proc_pid_task), whose
// totals would then be counted twice.

import type { Host } from '@foreshadow/model';
import { CodedError } from '@foreshadow/runtime';
import { createScan, nextNumber, nextWord, skipWords } from './scan.ts';

/**
 * Processes of one tree; a larger one is not measured at all, as a part of it would look like a
 * fall.
 */
export const PROCESSES_MAX = 1_024;

const CLOSING_PARENTHESIS = 0x29;

/** What `/proc/<pid>/stat` says. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /**
   * In clock ticks since boot; with the pid the identity of the process, as pids are used again.
   */
  readonly startTime: number;
  /**
   * Ended, and not yet waited for by its parent: it has no memory and does nothing, but its totals
   * still count.
   */
  readonly isZombie: boolean;
  readonly threadCount: number;
  /** Clock ticks in user and kernel mode, of itself and of its children that it has waited for. */
  readonly cpuTicks: number;
}

/**
 * @returns the root first; undefined where it is missing or a zombie
 * @throws CodedError PROCESS_TREE_OVER_BOUND
 * Cost linear in the processes of the host: about 7 µs each, as every parent must be asked.
 */
export function readProcessTree(host: Host, rootPid: number): readonly ProcessFacts[] | undefined {
  const root = readProcess(host, rootPid);
  const names = host.list('/proc');
  if (names === undefined || root === undefined || root.isZombie) return undefined;
  const byParent = new Map<number, ProcessFacts[]>();
  for (const name of names) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid) || pid === rootPid) continue;
    const facts = readProcess(host, pid);
    if (facts === undefined) continue;
    const siblings = byParent.get(facts.parent);
    if (siblings === undefined) byParent.set(facts.parent, [facts]);
    else siblings.push(facts);
  }
  const tree = [root];
  for (const member of tree) {
    tree.push(...(byParent.get(member.pid) ?? []));
    if (tree.length > PROCESSES_MAX)
      throw new CodedError(
        'PROCESS_TREE_OVER_BOUND',
        `process ${rootPid} has more than ${PROCESSES_MAX} descendants; measure the host or a smaller tree`,
      );
  }
  return tree;
}

function readProcess(host: Host, pid: number): ProcessFacts | undefined {
  const bytes = host.readOnce(`/proc/${pid}/stat`);
  return bytes === undefined ? undefined : parseStat(pid, bytes);
}

/**
 * Counts fields from the last `)`: the name before it may hold blanks and parentheses.
 * @returns undefined where it cannot be told which process this is; numbers beside that may be NaN
 */
export function parseStat(pid: number, bytes: Uint8Array): ProcessFacts | undefined {
  const scan = createScan(bytes, bytes.lastIndexOf(CLOSING_PARENTHESIS) + 1);
  if (scan.at === 0) return undefined;
  const state = nextWord(scan, 1);
  const parent = nextNumber(scan);
  skipWords(scan, 9); // Group, session, terminal, its group, flags and four kinds of page faults.
  const cpuTicks = nextNumber(scan) + nextNumber(scan) + nextNumber(scan) + nextNumber(scan);
  skipWords(scan, 2); // Priority and niceness.
  const threadCount = nextNumber(scan);
  skipWords(scan, 1);
  const startTime = nextNumber(scan);
  if (state === undefined || Number.isNaN(parent) || Number.isNaN(startTime)) return undefined;
  const isZombie = state === 'Z' || state === 'X';
  return { pid, parent, startTime, isZombie, threadCount, cpuTicks };
}
