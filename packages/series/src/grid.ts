// In: samples at the times of one host. Out: the same values in equal cells.
// Never: fills an empty cell.

/**
 * Puts samples into cells: cell `i` stands for [start + i·step, start + (i+1)·step). The last value
 * in a cell wins, because it is what was measured, where a mean of two would be a third thing; a
 * value that is not finite is no value.
 *
 * @param target receives one value a cell, NaN where none fell
 * @param times epoch ms, n points
 * @param values n points
 * @throws TypeError when times and values differ in length
 */
export function alignInto(
  target: Float64Array,
  times: Float64Array,
  values: Float64Array,
  grid: { readonly startMs: number; readonly stepMs: number },
): void {
  if (times.length !== values.length)
    throw new TypeError(`${values.length} values at ${times.length} times`);
  target.fill(NaN);
  for (let index = 0; index < times.length; index += 1) {
    const value = values[index] ?? NaN;
    const cell = Math.floor(((times[index] ?? NaN) - grid.startMs) / grid.stepMs);
    if (Number.isFinite(value) && cell >= 0 && cell < target.length) target[cell] = value;
  }
}
