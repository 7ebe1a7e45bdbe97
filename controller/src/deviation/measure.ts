// In: pair windows. Out: the deviations of each pair, by the specification's formula, with their
// velocity and trend.
// Never: takes a missing evaluation for a small one.

import { noiseExcess, robustTrend, rollingMeanInto } from '@foreshadow/series';
import {
  observables,
  type Deviation,
  type NoiseFloor,
  type ObservableName,
  type Pair,
  type PairDeviation,
  type PairWindow,
} from '@foreshadow/model';
import { compareLoad } from './load.ts';

/**
 * An evaluation compares means over this many cells, and velocity looks back over as many
 * evaluations.
 */
export const JUDGED_CELLS = 5;
/** Of which both hosts must have so many. */
export const JUDGED_CELLS_MIN = 3;
export const TREND_SPAN_MS = 300_000;

// A line over less than half of the span says more of the moment than of the trend.
const TREND_SPAN_SHARE_MIN = 0.5;
const MINUTE_MS = 60_000;

/**
 * Measures all pairs. One evaluation stands at each cell: production and shadow are means over the
 * last `JUDGED_CELLS` cells which both have; deviation = |production − shadow| / production, NaN
 * where production is zero or below the observable's floor; velocity is its change since the
 * evaluation before.
 *
 * @param options.noise what was learned of the pair while its configuration was the same
 * Cost: about 40 µs for each observable of a window of 300 cells.
 */
export function measureDeviations(
  windows: readonly PairWindow[],
  options: {
    readonly noise: (pair: Pair, observable: ObservableName) => NoiseFloor | undefined;
  },
): readonly PairDeviation[] {
  return windows.map((window) => ({
    pair: window.pair,
    stepMs: window.stepMs,
    ...(window.newestMs !== undefined && { newestMs: window.newestMs }),
    commonCount: window.commonCount,
    load: compareLoad(window, { nowCells: JUDGED_CELLS }),
    deviations: window.names.map((observable, index) =>
      measureObservable({
        observable,
        stepMs: window.stepMs,
        production: window.production[index] ?? new Float64Array(0),
        shadow: window.shadow[index] ?? new Float64Array(0),
        noise: options.noise(window.pair, observable),
      }),
    ),
  }));
}

interface Sides {
  readonly observable: ObservableName;
  readonly stepMs: number;
  readonly production: Float64Array;
  readonly shadow: Float64Array;
  readonly noise: NoiseFloor | undefined;
}

function measureObservable({ observable, stepMs, noise, ...sides }: Sides): Deviation {
  const production = commonMean(sides.production, sides.shadow);
  const shadow = commonMean(sides.shadow, sides.production);
  const { floor } = observables[observable];
  const distance = production.map((value, cell) => Math.abs(value - (shadow[cell] ?? NaN)));
  const history = distance.map((value, cell) => {
    const divisor = production[cell] ?? NaN;
    return divisor > 0 && divisor >= floor ? value / divisor : NaN;
  });
  const newest = history.length - 1;
  const deviation = present(history[newest]);
  const excess = deviation === undefined ? undefined : noiseExcess(noise, deviation);
  return {
    observable,
    history,
    distance,
    ...withoutAbsent({
      production: present(production[newest]),
      shadow: present(shadow[newest]),
      deviation,
      velocityPerMinute: present(velocityAt(history, newest, stepMs)),
      velocityPeakPerMinute: present(velocityPeak(history, stepMs)),
      excess,
      noise,
    }),
    ...trendOf(history, stepMs),
  };
}

/** Means of `side` over the cells in which `other` has a value, too. */
function commonMean(side: Float64Array, other: Float64Array): Float64Array {
  const common = side.map((value, cell) => (Number.isNaN(other[cell]) ? NaN : value));
  const mean = new Float64Array(side.length);
  rollingMeanInto(mean, common, { cells: JUDGED_CELLS, countMin: JUDGED_CELLS_MIN });
  return mean;
}

/**
 * Change since the evaluation before, which may lie a few cells back; NaN where either is absent.
 */
function velocityAt(history: Float64Array, cell: number, stepMs: number): number {
  for (let before = cell - 1; before >= Math.max(0, cell - JUDGED_CELLS); before -= 1) {
    const change = (history[cell] ?? NaN) - (history[before] ?? NaN);
    if (!Number.isNaN(history[before])) return (change * MINUTE_MS) / ((cell - before) * stepMs);
  }
  return NaN;
}

function velocityPeak(history: Float64Array, stepMs: number): number {
  let peak = NaN;
  for (let cell = Math.max(0, history.length - JUDGED_CELLS); cell < history.length; cell += 1) {
    const velocity = velocityAt(history, cell, stepMs);
    if (Number.isNaN(peak) || velocity > peak) peak = velocity;
  }
  return peak;
}

function trendOf(
  history: Float64Array,
  stepMs: number,
): Pick<Deviation, 'trendPerMinute' | 'trendLevel' | 'trendSteadiness'> {
  const cells = Math.round(TREND_SPAN_MS / stepMs);
  const trend = robustTrend(history.subarray(-Math.max(1, cells)));
  if (trend === undefined || trend.spanCells < TREND_SPAN_SHARE_MIN * cells) return {};
  return {
    trendPerMinute: (trend.slopePerCell * MINUTE_MS) / stepMs,
    trendLevel: trend.level,
    trendSteadiness: trend.steadiness,
  };
}

function present(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

type Present<Fields> = { [Key in keyof Fields]?: NonNullable<Fields[Key]> };

/** An absent number is a missing key, as the model has it. */
function withoutAbsent<Fields extends object>(fields: Fields): Present<Fields> {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as Present<Fields>; // Only absent values were left out.
}
