// In: what was measured of a pair, the limits that hold for it, and its last verdict. Out: a
// verdict with a sentence and its numbers.
// Never: says yes or no where it does not know; `inconclusive` is a full verdict.

export { JUDGED_EVALUATIONS, SAMPLES_MIN, STALE_STEPS, judge, learnsNoise } from './judge.ts';
export { APPROACH_MS, BREACHES_NEEDED, NOISE_LIMITS_MAX } from './finding.ts';
export {
  defaultLimits,
  resolveLimits,
  type LimitTable,
  type LabelLimits,
  type ResolveLimit,
} from './limits.ts';
