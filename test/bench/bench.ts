// In: nothing.
// Out: the contract of a bench: one question, answered in numbers that others can compare.
// Never: hides what it could not measure; a peer that is not installed is said in the result.

export interface BenchContext {
  /** Repository root, absolute. */
  readonly root: string;
  /** Progress for a person; goes to stderr. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface BenchResult {
  /** Such as `perf.A1`; one of the bench's `ids`. */
  readonly id: string;
  /** What was measured, in words. */
  readonly measure: string;
  /** Median of `n` runs; absent when it could not be measured, and `peer` or `measure` says why. */
  readonly value?: number;
  readonly unit: string;
  /** Such as `<= 40`; absent for a number without a goal, such as a peer's. */
  readonly target?: string;
  /** Whether the target holds; absent without a value or a target. */
  readonly holds?: boolean;
  /** Number of runs. */
  readonly n: number;
  /** Smallest and largest of the runs; absent for one run. */
  readonly spread?: readonly [number, number];
  /** The program it is compared with: its version and number, or `not installed`. */
  readonly peer?: string;
}

export interface Bench {
  readonly name: string;
  /** What it answers, as a question. */
  readonly question: string;
  readonly ids: readonly string[];
  run(context: BenchContext): Promise<readonly BenchResult[]>;
}

/** What `--json FILE` writes. */
export interface BenchReport {
  readonly bench: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  readonly results: readonly BenchResult[];
}

/**
 * Median and spread of runs against a target.
 *
 * @param atMost the target: the value must not exceed it
 */
export function resultOf(
  fixed: Pick<BenchResult, 'id' | 'measure' | 'unit' | 'peer'>,
  values: readonly number[],
  atMost?: number,
): BenchResult {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)];
  const high = sorted[Math.ceil(middle)];
  const target = atMost === undefined ? {} : { target: `<= ${atMost}` };
  if (low === undefined || high === undefined) return { ...fixed, ...target, n: 0 };
  const value = (low + high) / 2;
  return {
    ...fixed,
    ...target,
    value,
    ...(atMost === undefined ? {} : { holds: value <= atMost }),
    n: sorted.length,
    ...(sorted.length === 1 ? {} : { spread: [sorted[0] ?? value, sorted.at(-1) ?? value] }),
  };
}
