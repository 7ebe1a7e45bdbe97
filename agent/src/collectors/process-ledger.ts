// In: the running totals of each process of a tree, tick by tick. Out: totals of the whole tree
// that never go back.
// Never: counts twice what a parent takes over from a child that it has waited for.
//
// Why there is state: when a process ends, its totals leave the sum. The kernel adds them to the
// totals of a parent that waits for it (so children too short to be seen are counted), but not when
// the parent ignores its children. So the increase of each process is added up, less what it took
// over from processes that were counted before.

/** `totals[i]` of itself and the children that it has waited for; NaN where it cannot be read. */
export interface ProcessTotals {
  readonly pid: number;
  readonly startTime: number;
  readonly parent: number;
  readonly totals: Float64Array;
}

export interface ProcessLedger {
  /**
   * @returns the totals of the tree since the first call, the first totals included; the same array
   * each time
   */
  advance(present: readonly ProcessTotals[]): Float64Array;
}

export function createProcessLedger(totalsCount: number): ProcessLedger {
  const sums = new Float64Array(totalsCount);
  let known: ReadonlyMap<number, ProcessTotals> = new Map();
  return {
    advance(present) {
      const current = new Map(present.map((process) => [process.pid, process]));
      const takenOver = totalsOfTheEnded(known, current, totalsCount);
      for (const process of present) {
        const before = survivor(known, process);
        const inherited = takenOver.get(process.pid);
        process.totals.forEach((total, index) => {
          // A total that could not be read before has no known increase; it only becomes the new
          // start.
          const start = before === undefined ? 0 : (before.totals[index] ?? Number.NaN);
          const increase = total - start - (inherited?.[index] ?? 0);
          if (increase > 0) sums[index] = (sums[index] ?? 0) + increase;
          if (Number.isNaN(total) && before !== undefined) process.totals[index] = start;
        });
      }
      known = current;
      return sums;
    },
  };
}

/** The entry of the same process (not merely the same pid) in the other map. */
function survivor(
  processes: ReadonlyMap<number, ProcessTotals>,
  { pid, startTime }: ProcessTotals,
): ProcessTotals | undefined {
  const found = processes.get(pid);
  return found?.startTime === startTime ? found : undefined;
}

/** What processes that are gone had counted, by the nearest ancestor that is still there. */
function totalsOfTheEnded(
  known: ReadonlyMap<number, ProcessTotals>,
  current: ReadonlyMap<number, ProcessTotals>,
  totalsCount: number,
): Map<number, Float64Array> {
  const byHeir = new Map<number, Float64Array>();
  for (const ended of known.values()) {
    if (survivor(current, ended) !== undefined) continue;
    let heir = known.get(ended.parent);
    for (let depth = 0; depth < known.size && heir !== undefined; depth += 1) {
      if (survivor(current, heir) !== undefined) break;
      heir = known.get(heir.parent);
    }
    if (heir === undefined) continue;
    const inherited = byHeir.get(heir.pid) ?? new Float64Array(totalsCount);
    ended.totals.forEach((total, index) => {
      if (!Number.isNaN(total)) inherited[index] = (inherited[index] ?? 0) + total;
    });
    byHeir.set(heir.pid, inherited);
  }
  return byHeir;
}
