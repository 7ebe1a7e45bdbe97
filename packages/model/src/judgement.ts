// In: nothing. Out: the types of what pairing, deviation and verdict say of a pair.
// Never: fills an absence; absent is `undefined` in objects and NaN in arrays.

import type { PairId } from './ids.ts';
import type { ObservableName } from './observables.ts';
import type { Pair } from './pair.ts';

/**
 * One host's observables on a grid. `values[k]` belongs to the observable `names[k]`; a cell `i`
 * stands for [startMs + i·stepMs, startMs + (i+1)·stepMs) and is NaN where the host said nothing.
 */
export interface HostWindow {
  readonly startMs: number;
  readonly stepMs: number;
  readonly cellCount: number;
  readonly names: readonly ObservableName[];
  readonly values: readonly Float64Array[];
}

/** Two hosts on one grid. `names` are the observables which both have reported in this window. */
export interface PairWindow {
  readonly pair: Pair;
  readonly startMs: number;
  readonly stepMs: number;
  readonly cellCount: number;
  readonly names: readonly ObservableName[];
  readonly production: readonly Float64Array[];
  readonly shadow: readonly Float64Array[];
  /** Cells in which both hosts reported at least one observable. */
  readonly commonCount: number;
  /** End of the newest common cell, epoch ms; absent when there is none. */
  readonly newestMs?: number;
}

/**
 * Where the two sides' difference lies while their configuration is the same. Learned per pair and
 * observable.
 */
export interface NoiseFloor {
  /** Typical deviation, ratio. */
  readonly center: number;
  /** Typical distance from it (estimates σ), ratio. */
  readonly spread: number;
  readonly n: number;
}

/**
 * How far one observable of the shadow is from production's. Ratios are dimensionless; `…PerMinute`
 * are ratios per minute.
 */
export interface Deviation {
  readonly observable: ObservableName;
  /** Means over the judged cells, in the observable's unit; absent where a side has no sample. */
  readonly production?: number;
  readonly shadow?: number;
  /**
   * |production − shadow| / production at each cell of the window (NaN where absent); the newest is
   * last.
   */
  readonly history: Float64Array;
  /** |production − shadow| in the unit at each cell of the window. */
  readonly distance: Float64Array;
  /**
   * The newest of `history`; absent where production is zero or below its floor, or where there is
   * no sample.
   */
  readonly deviation?: number;
  /** Change of deviation since the evaluation before. */
  readonly velocityPerMinute?: number;
  /** Highest velocity within the last five evaluations. */
  readonly velocityPeakPerMinute?: number;
  /** Robust slope over five minutes (Theil–Sen). */
  readonly trendPerMinute?: number;
  /** Where the trend's line stands now, ratio. */
  readonly trendLevel?: number;
  /**
   * Rise of the trend's line in standard errors, estimated robustly: how little it can be chance.
   */
  readonly trendSteadiness?: number;
  readonly noise?: NoiseFloor;
  /** (deviation − noise centre) / noise spread; absent until the noise floor is learned. */
  readonly excess?: number;
}

/** Whether both hosts carry alike load: the simplest honest form, the ratio of each load signal. */
export type LoadComparison =
  | {
      readonly kind: 'comparable';
      readonly signal: ObservableName;
      readonly production: number;
      readonly shadow: number;
    }
  | {
      readonly kind: 'not-comparable';
      readonly signal: ObservableName;
      readonly production: number;
      readonly shadow: number;
    }
  | { readonly kind: 'unknown' };

export interface PairDeviation {
  readonly pair: Pair;
  readonly stepMs: number;
  readonly newestMs?: number;
  readonly commonCount: number;
  readonly load: LoadComparison;
  readonly deviations: readonly Deviation[];
}

export const verdictStatuses = ['aligned', 'diverging', 'diverged', 'inconclusive'] as const;
export type VerdictStatus = (typeof verdictStatuses)[number];

export const verdictReasons = [
  'WITHIN_LIMITS',
  'OVER_LIMIT',
  'APPROACHING_LIMIT',
  'NO_SAMPLES',
  'TOO_FEW_SAMPLES',
  'STALE',
  'LOAD_NOT_COMPARABLE',
  'LOAD_UNKNOWN',
  'NOTHING_JUDGED',
] as const;
export type VerdictReason = (typeof verdictReasons)[number];

/** The limits that hold for one observable of one pair. */
export interface Limits {
  /** Ratio, such as 0.10. */
  readonly deviation: number;
  /** Ratio per minute. */
  readonly velocityPerMinute: number;
  /** Absolute difference below which nothing is a breach, in the observable's unit. */
  readonly floor: number;
}

/** One observable's part in a verdict; numbers are absent rather than zero. */
export interface Finding {
  readonly observable: ObservableName;
  readonly status: VerdictStatus;
  readonly reason: VerdictReason;
  readonly production?: number;
  readonly shadow?: number;
  readonly deviation?: number;
  readonly velocityPerMinute?: number;
  readonly trendPerMinute?: number;
  /** When the deviation would cross its limit on the present trend. */
  readonly timeToLimitMs?: number;
  readonly excess?: number;
  readonly noise?: NoiseFloor;
  /** Absent for an observable without a limit: reported, never judged. */
  readonly limits?: Limits;
  /** Breaching evaluations among the last `evaluationCount`. */
  readonly breachCount: number;
  readonly evaluationCount: number;
  /**
   * The specification's rule: 3 of 5 over the limit, and velocity over its limit in any of them.
   */
  readonly ruleFired: boolean;
}

/**
 * What the numbers mean for a pair. `inconclusive` is a full verdict; no command follows from it.
 */
export interface Verdict {
  readonly pair: PairId;
  readonly atMs: number;
  readonly status: VerdictStatus;
  readonly reason: VerdictReason;
  /** One sentence for a person, with the numbers that decided. */
  readonly sentence: string;
  readonly commonCount: number;
  readonly load: LoadComparison;
  readonly findings: readonly Finding[];
}
