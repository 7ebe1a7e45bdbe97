// In: sequence numbers that were stored or are lost. Out: ranges, and the marks that follow from
// them.
// Never: grows with the number of batches, only with the number of holes between them.

import type {
  BootCoverage,
  BootId,
  Gap,
  HostCoverage,
  HostId,
  SequenceRange,
} from '@foreshadow/model';

/** Runs of one agent that are told apart; the one used longest ago is forgotten. */
export const BOOTS_PER_HOST_MAX = 16;
/**
 * Ranges kept of one boot. Beyond it the highest is forgotten, which costs a repetition and no
 * loss:
 * the agent still holds what no mark covers, and the store writes a repeated batch over itself.
 */
export const RANGES_PER_BOOT_MAX = 1_024;

export type Ranges = readonly SequenceRange[];

/**
 * @returns `ranges` with `added`. Cost: linear in the ranges, which are one or two while nothing is
 * missing.
 */
export function addRange(ranges: Ranges, added: SequenceRange): Ranges {
  const before = ranges.filter((range) => range.last + 1 < added.first);
  const after = ranges.filter((range) => range.first > added.last + 1);
  const firstTouched = ranges[before.length];
  const lastTouched = ranges[ranges.length - after.length - 1];
  const isAlone = before.length + after.length === ranges.length;
  const joined =
    isAlone || firstTouched === undefined || lastTouched === undefined
      ? added
      : {
          first: Math.min(firstTouched.first, added.first),
          last: Math.max(lastTouched.last, added.last),
        };
  return [...before, joined, ...after].slice(0, RANGES_PER_BOOT_MAX);
}

export function isCovered(ranges: Ranges, sequence: number): boolean {
  const range = ranges.findLast((candidate) => candidate.first <= sequence);
  return range !== undefined && sequence <= range.last;
}

/** @returns the last sequence before the first hole; 0 while the first batch is missing */
export function markOf(ranges: Ranges): number {
  const [lowest] = ranges;
  return lowest?.first === 1 ? lowest.last : 0;
}

/** @returns the highest sequence known; 0 for none */
export function highestOf(ranges: Ranges): number {
  return ranges.at(-1)?.last ?? 0;
}

/** Sequences of one boot that are settled: stored, or known to be lost. */
export type Settled = Gap & { readonly host: HostId };

/** @returns what `before` becomes when `settled`, all of its host, is durable */
export function coverageAfter(before: HostCoverage, settled: readonly Settled[]): HostCoverage {
  const boots = new Map(before.boots.map(({ boot, ranges }) => [boot, ranges]));
  for (const { boot, firstSequence: first, lastSequence: last } of settled)
    add(boots, boot, { first, last });
  const kept = [...boots].slice(-BOOTS_PER_HOST_MAX);
  return {
    host: before.host,
    boots: kept.map(([boot, ranges]): BootCoverage => ({ boot, ranges })),
  };
}

/** Puts the boot last, as the one used last. */
function add(boots: Map<BootId, Ranges>, boot: BootId, range: SequenceRange): void {
  const ranges = boots.get(boot) ?? [];
  boots.delete(boot);
  boots.set(boot, addRange(ranges, range));
}
