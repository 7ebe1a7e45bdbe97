// In: one observable's deviation and its limits. Out: what that means by itself.
// Never: lets a single evaluation decide, in either direction.

import { noiseUpper } from '@foreshadow/series';
import type { Deviation, Finding, Limits, NoiseFloor, VerdictReason } from '@foreshadow/model';

/** A verdict looks at so many of the newest evaluations. */
export const JUDGED_EVALUATIONS = 5;
/** And takes so many of them to say that an observable has diverged. */
export const BREACHES_NEEDED = 3;
/** A limit that the trend crosses within this time is being approached. */
export const APPROACH_MS = 300_000;

/**
 * What is called noise may raise a limit to so many times itself, or a slow enough drift would be
 * learned as noise.
 */
export const NOISE_LIMITS_MAX = 2;

const MINUTE_MS = 60_000;
// Rise of the trend in standard errors. Neighbouring points share noise, so it is more than tables
// say; measured in test/contract/judgement.test.ts.
const STEADINESS_MIN = 6;
// The newest evaluation stands at half of the trend's line at least, or the trend is over.
const NEWEST_SHARE_MIN = 0.5;

export interface FindingContext {
  readonly limits: Limits;
  readonly previous: Finding | undefined;
  /** Why the pair, or its load, forbids to judge this observable now; absent when nothing does. */
  readonly hindrance: VerdictReason | undefined;
}

/** An observable without limits: reported with its numbers, never judged. */
export function reportObservable(deviation: Deviation): Finding {
  return {
    ...numbersOf(deviation),
    status: 'inconclusive',
    reason: 'NOTHING_JUDGED',
    breachCount: 0,
    evaluationCount: countEvaluations(deviation),
    ruleFired: false,
  };
}

/**
 * `diverged`: at least `BREACHES_NEEDED` of the last `JUDGED_EVALUATIONS` breach; it stays so while
 * any of them does. `diverging`: not that, and a steady trend over five minutes crosses all that
 * makes a breach within `APPROACH_MS`, or is faster than the velocity limit and crosses the floor
 * by then.
 */
export function judgeObservable(deviation: Deviation, context: FindingContext): Finding {
  const { limits, previous } = context;
  const evaluationCount = countEvaluations(deviation);
  const breachCount = countBreaches(deviation, limits);
  const facts = { ...numbersOf(deviation), limits, breachCount, evaluationCount };
  const hindrance = context.hindrance ?? tooFew(evaluationCount);
  if (hindrance !== undefined)
    return { ...facts, status: 'inconclusive', reason: hindrance, ruleFired: false };

  const wasDiverged = previous?.status === 'diverged';
  if (breachCount >= BREACHES_NEEDED || (wasDiverged && breachCount > 0)) {
    const isFast = (deviation.velocityPeakPerMinute ?? -Infinity) > limits.velocityPerMinute;
    const ruleFired = breachCount >= BREACHES_NEEDED && isFast;
    return { ...facts, status: 'diverged', reason: 'OVER_LIMIT', ruleFired };
  }
  const approach = approachOf(deviation, limits);
  const status = approach.isApproaching ? 'diverging' : 'aligned';
  const reason = approach.isApproaching ? 'APPROACHING_LIMIT' : 'WITHIN_LIMITS';
  const { timeToLimitMs } = approach;
  return {
    ...facts,
    ...(timeToLimitMs !== undefined && { timeToLimitMs }),
    status,
    reason,
    ruleFired: false,
  };
}

type Judgement = 'status' | 'reason' | 'breachCount' | 'evaluationCount' | 'ruleFired';

/**
 * What a finding repeats of the deviation: all its numbers, but neither the cells nor what only the
 * judge needs.
 */
function numbersOf(deviation: Deviation): Omit<Finding, Judgement> {
  const {
    history: _history,
    distance: _distance,
    velocityPeakPerMinute: _peak,
    ...rest
  } = deviation;
  const { trendLevel: _level, trendSteadiness: _steadiness, ...numbers } = rest;
  return numbers;
}

function tooFew(evaluationCount: number): VerdictReason | undefined {
  if (evaluationCount === 0) return 'NO_SAMPLES';
  return evaluationCount < BREACHES_NEEDED ? 'TOO_FEW_SAMPLES' : undefined;
}

/**
 * Evaluations among the newest; production below its floor is one, because the distance is known.
 */
function countEvaluations({ distance }: Deviation): number {
  let count = 0;
  for (const value of distance.subarray(-JUDGED_EVALUATIONS)) if (!Number.isNaN(value)) count += 1;
  return count;
}

/**
 * Where production is below its floor the formula has no deviation; the distance is then measured
 * in floors, which is what the deviation would be at the floor: an idle production host does not
 * hide a shadow that is busy for no reason.
 */
function countBreaches({ history, distance, noise }: Deviation, limits: Limits): number {
  const least = Math.max(limits.deviation, noiseLevel(noise, limits));
  let count = 0;
  const first = Math.max(0, distance.length - JUDGED_EVALUATIONS);
  for (let cell = first; cell < distance.length; cell += 1) {
    const apart = distance[cell] ?? NaN;
    const ratio = history[cell] ?? NaN;
    const measured = Number.isNaN(ratio) ? apart / limits.floor : ratio;
    if (apart >= limits.floor && measured > least) count += 1;
  }
  return count;
}

function noiseLevel(noise: NoiseFloor | undefined, limits: Limits): number {
  return Math.min(noiseUpper(noise) ?? 0, NOISE_LIMITS_MAX * limits.deviation);
}

function approachOf(
  { deviation, production, noise, ...trend }: Deviation,
  limits: Limits,
): { readonly isApproaching: boolean; readonly timeToLimitMs?: number } {
  const { trendPerMinute = 0, trendLevel = 0, trendSteadiness = 0 } = trend;
  const isSteady =
    trendPerMinute > 0 &&
    trendSteadiness >= STEADINESS_MIN &&
    (deviation ?? 0) >= NEWEST_SHARE_MIN * trendLevel;
  if (!isSteady || production === undefined) return { isApproaching: false };
  const timeTo = (level: number): number =>
    Math.max(0, ((level - trendLevel) * MINUTE_MS) / trendPerMinute);
  const floorLevel = Math.max(limits.floor / production, noiseLevel(noise, limits));
  const timeToLimitMs = timeTo(Math.max(limits.deviation, floorLevel));
  const isFast = trendPerMinute > limits.velocityPerMinute && timeTo(floorLevel) <= APPROACH_MS;
  return { isApproaching: isFast || timeToLimitMs <= APPROACH_MS, timeToLimitMs };
}
