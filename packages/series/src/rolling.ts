// In: cells. Out: means over the last few cells at each.
// Never: counts a missing cell as zero.

/**
 * Mean over the last `cells` cells at each cell, over those which have a value.
 *
 * @param target receives as many values as `source` has; NaN where fewer than `countMin` of the
 *   cells have one
 * @param source NaN where absent; must not be `target`
 * @throws TypeError when the lengths differ
 * Cost O(n · cells): adding afresh keeps rounding errors from piling up, and windows are small.
 */
export function rollingMeanInto(
  target: Float64Array,
  source: Float64Array,
  window: { readonly cells: number; readonly countMin: number },
): void {
  if (target.length !== source.length)
    throw new TypeError(`rolling mean of ${source.length} values into ${target.length}`);
  for (let end = 0; end < source.length; end += 1) {
    let sum = 0;
    let count = 0;
    for (let index = Math.max(0, end - window.cells + 1); index <= end; index += 1) {
      const value = source[index] ?? NaN;
      if (Number.isNaN(value)) continue;
      sum += value;
      count += 1;
    }
    target[end] = count > 0 && count >= window.countMin ? sum / count : NaN;
  }
}
