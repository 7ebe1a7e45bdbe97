// In: cells. Out: the straight line that most of them lie along.
// Never: is pulled aside by a few outliers, or draws a line through too few points.

import { TheilSenRegression } from 'ml-regression';
import { median, robustSpread } from './spread.ts';

export const TREND_POINTS_MIN = 6;
/**
 * Theil–Sen compares all pairs, so its points are bounded: more cells are first drawn together by
 * medians.
 */
export const TREND_POINTS_MAX = 30;
/** Fewer would not calm the noise that neighbouring evaluations share. */
export const TREND_CELLS_PER_POINT_MIN = 3;

export interface Trend {
  readonly slopePerCell: number;
  /** The line at the newest cell. */
  readonly level: number;
  /**
   * Rise of the line from its first point to the newest, in standard errors of such a rise: how
   * little it can be chance. Infinity when all points lie on the line.
   */
  readonly steadiness: number;
  /** Cells from the first point to the newest. */
  readonly spanCells: number;
}

/**
 * Robust line (Theil–Sen) through the medians of equal slices of the cells; the newest slice is a
 * full one.
 *
 * @param values one a cell, NaN where absent
 * @returns absent below `TREND_POINTS_MIN` points
 * Cost: about 30 µs for 300 cells, 435 slopes of 30 points and their median included.
 */
export function robustTrend(values: Float64Array): Trend | undefined {
  const size = Math.max(TREND_CELLS_PER_POINT_MIN, Math.ceil(values.length / TREND_POINTS_MAX));
  const cells: number[] = [];
  const levels: number[] = [];
  for (let end = values.length; end >= size; end -= size) {
    const level = median(values.subarray(end - size, end));
    if (Number.isNaN(level)) continue;
    cells.push(end - (size + 1) / 2);
    levels.push(level);
  }
  const first = cells.at(-1);
  const last = cells[0];
  if (cells.length < TREND_POINTS_MIN || first === undefined || last === undefined)
    return undefined;
  const line = new TheilSenRegression(cells, levels);
  const residuals = Float64Array.from(levels, (level, index) => {
    return level - line.slope * (cells[index] ?? NaN);
  });
  const rise = line.slope * (last - first);
  return {
    slopePerCell: line.slope,
    level: line.intercept + line.slope * (values.length - 1),
    steadiness: rise === 0 ? 0 : rise / (robustSpread(residuals) * riseError(cells.length)),
    spanCells: last - first,
  };
}

/**
 * Standard error of a fitted line's rise over n evenly spaced points, for a spread of 1 around it
 * (least squares, large n).
 */
function riseError(pointCount: number): number {
  return Math.sqrt(12 / pointCount);
}
