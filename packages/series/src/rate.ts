// In: samples of a counter. Out: its increase per second between samples.
// Never: bridges a reset, a long silence or a clock that went back.

/** A longer silence than this many intervals hides too much to call the mean over it a rate. */
export const RATE_GAP_INTERVALS_MAX = 3;

/**
 * Rate of a counter, per second, at each sample since the reported sample before it.
 *
 * @param target receives n values: NaN at the first sample, after a reset (decrease), after a gap
 *   of more than `RATE_GAP_INTERVALS_MAX` intervals, where the time did not rise, and where the
 *   counter was not reported
 * @param times epoch ms, n points
 * @param values the counter, NaN where it was not reported, n points
 * @throws TypeError when the lengths differ
 */
export function rateInto(
  target: Float64Array,
  times: Float64Array,
  values: Float64Array,
  intervalMs: number,
): void {
  if (target.length !== times.length || values.length !== times.length)
    throw new TypeError(`rate of ${values.length} values at ${times.length} times`);
  const gapMaxMs = RATE_GAP_INTERVALS_MAX * intervalMs;
  let previousMs = NaN;
  let previousValue = NaN;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? NaN;
    const timeMs = times[index] ?? NaN;
    const elapsedMs = timeMs - previousMs;
    const increase = value - previousValue;
    const isKnown = elapsedMs > 0 && elapsedMs <= gapMaxMs && increase >= 0 && increase < Infinity;
    target[index] = isKnown ? (increase * 1_000) / elapsedMs : NaN;
    if (!Number.isFinite(value)) continue;
    previousMs = timeMs;
    previousValue = value;
  }
}
