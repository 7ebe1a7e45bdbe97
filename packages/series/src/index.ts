// In: typed arrays of times and values. Out: rates, cells, means, spreads, slopes and noise floors.
// Never: does I/O, reads a clock, keeps state, or takes a missing value (NaN) for zero.

export { RATE_GAP_INTERVALS_MAX, rateInto } from './rate.ts';
export { alignInto } from './grid.ts';
export { rollingMeanInto } from './rolling.ts';
export { median, robustSpread } from './spread.ts';
export {
  TREND_CELLS_PER_POINT_MIN,
  TREND_POINTS_MAX,
  TREND_POINTS_MIN,
  robustTrend,
  type Trend,
} from './trend.ts';
export { NOISE_POINTS_MIN, noiseExcess, noiseUpper, updateNoise } from './noise.ts';
