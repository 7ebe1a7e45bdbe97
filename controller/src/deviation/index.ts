// In: pair windows and learned noise floors. Out: how far each observable is apart, how fast that
// grows, and whether load is alike.
// Never: judges, fills an absence, or remembers anything between calls.

export { JUDGED_CELLS, JUDGED_CELLS_MIN, TREND_SPAN_MS, measureDeviations } from './measure.ts';
export { createNoiseFloors, type NoiseFloors } from './noise-floors.ts';
export { LOAD_CELLS, LOAD_RATIO_MAX, LOAD_RATIO_NOW_MAX, compareLoad } from './load.ts';
