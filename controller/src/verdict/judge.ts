// In: one pair's deviations. Out: its verdict.
// Never: draws a random number or reads a clock: the same numbers give the same verdict.

import {
  observables,
  type Deviation,
  type Finding,
  type PairDeviation,
  type Verdict,
  type VerdictReason,
  type VerdictStatus,
} from '@foreshadow/model';
import { judgeObservable, reportObservable } from './finding.ts';
import type { ResolveLimit } from './limits.ts';
import { sentenceOf } from './sentence.ts';

export { JUDGED_EVALUATIONS } from './finding.ts';
/** Common cells below which nothing is judged. */
export const SAMPLES_MIN = 5;
/** A newest common cell that ended longer ago than three intervals and one step is stale. */
export const STALE_STEPS = 4;

const severity: Readonly<Record<VerdictStatus, number>> = {
  aligned: 0,
  inconclusive: 1,
  diverging: 2,
  diverged: 3,
};

/**
 * Judges one pair: every observable that has limits, then the pair by its worst finding, where what
 * is known to be bad goes over what is not known, and that over what is known to be good.
 *
 * @param options.previous the pair's last verdict, for hysteresis; absent at first
 */
export function judge(
  deviation: PairDeviation,
  options: {
    readonly limits: ResolveLimit;
    readonly previous: Verdict | undefined;
    readonly nowMs: number;
  },
): Verdict {
  const { pair, commonCount, load } = deviation;
  const { previous, nowMs } = options;
  const hindrance = pairHindrance(deviation, nowMs);
  const findings = deviation.deviations.map((one) => {
    const limits = options.limits(pair, one.observable);
    if (limits === undefined) return reportObservable(one);
    return judgeObservable(one, {
      limits,
      previous: previous?.findings.find(({ observable }) => observable === one.observable),
      hindrance: hindrance ?? loadHindrance(one, deviation),
    });
  });
  const decisive = worstOf(findings);
  const status = hindrance === undefined ? (decisive?.status ?? 'inconclusive') : 'inconclusive';
  const reason = hindrance ?? decisive?.reason ?? 'NOTHING_JUDGED';
  const sentence = sentenceOf({ status, reason, decisive, deviation, nowMs });
  return { pair: pair.id, atMs: nowMs, status, reason, sentence, commonCount, load, findings };
}

function pairHindrance(
  { newestMs, commonCount, stepMs }: PairDeviation,
  nowMs: number,
): VerdictReason | undefined {
  if (newestMs === undefined) return 'NO_SAMPLES';
  if (nowMs - newestMs > STALE_STEPS * stepMs) return 'STALE';
  return commonCount < SAMPLES_MIN ? 'TOO_FEW_SAMPLES' : undefined;
}

function loadHindrance(
  { observable }: Deviation,
  { load }: PairDeviation,
): VerdictReason | undefined {
  if (!observables[observable].loadBound || load.kind === 'comparable') return undefined;
  return load.kind === 'unknown' ? 'LOAD_UNKNOWN' : 'LOAD_NOT_COMPARABLE';
}

/** Among equally bad findings the one that is farthest over its limit, in limits. */
function worstOf(findings: readonly Finding[]): Finding | undefined {
  let worst: Finding | undefined;
  for (const finding of findings) {
    if (finding.limits === undefined) continue;
    const lead = worst === undefined ? 1 : severity[finding.status] - severity[worst.status];
    if (lead > 0 || (lead === 0 && reach(finding) > reach(worst))) worst = finding;
  }
  return worst;
}

function reach(finding: Finding | undefined): number {
  return (finding?.deviation ?? 0) / (finding?.limits?.deviation ?? Infinity);
}

/**
 * Whether the pair's deviations may feed its noise floor: nothing is wrong, load is alike, and
 * configuration is the same.
 */
export function learnsNoise(verdict: Verdict, options: { readonly hasDrift: boolean }): boolean {
  return !options.hasDrift && verdict.status === 'aligned' && verdict.load.kind === 'comparable';
}
