// In: values. Out: their middle and their spread, unmoved by a few wild ones.
// Never: counts a missing value.

const MAD_TO_SIGMA = 1.4826; // Makes the median absolute deviation estimate σ of normal data.

/** @returns the median of the values that are not NaN; NaN when there are none. Cost O(n log n). */
export function median(values: Float64Array): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * @returns median distance from the median, scaled to estimate σ; NaN when there are no values.
 *   Cost O(n log n).
 */
export function robustSpread(values: Float64Array): number {
  const center = median(values);
  return MAD_TO_SIGMA * median(values.map((value) => Math.abs(value - center)));
}
