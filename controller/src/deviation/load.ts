// In: one pair window. Out: whether both hosts carry alike load.
// Never: calls load alike that nobody measured.

import {
  loadSignals,
  observables,
  type LoadComparison,
  type ObservableName,
  type PairWindow,
} from '@foreshadow/model';

/** Load is compared over this many of the newest cells, so that single requests do not matter. */
export const LOAD_CELLS = 30;
/** The busier host may carry so many times the load of the other. */
export const LOAD_RATIO_MAX = 1.5;
/**
 * Over the judged cells alone chance weighs more, so only a greater difference counts: load that
 * stopped just now.
 */
export const LOAD_RATIO_NOW_MAX = 2.25;

const LOAD_CELLS_MIN = 5;

/**
 * Compares every load signal that both hosts report; one that differs decides. Two idle hosts carry
 * alike load.
 *
 * @param options.nowCells how many of the newest cells the verdict will look at
 */
export function compareLoad(
  window: PairWindow,
  options: { readonly nowCells: number },
): LoadComparison {
  let alike: LoadComparison | undefined;
  for (const signal of loadSignals) {
    const means = meansOver(window, signal, LOAD_CELLS);
    if (means === undefined || means.count < LOAD_CELLS_MIN) continue;
    const now = meansOver(window, signal, options.nowCells);
    const facts = { signal, production: means.production, shadow: means.shadow };
    if (isApart(signal, means, LOAD_RATIO_MAX)) return { kind: 'not-comparable', ...facts };
    if (now !== undefined && isApart(signal, now, LOAD_RATIO_NOW_MAX))
      return {
        kind: 'not-comparable',
        signal,
        production: now.production,
        shadow: now.shadow,
      };
    alike ??= { kind: 'comparable', ...facts };
  }
  return alike ?? { kind: 'unknown' };
}

interface Means {
  readonly production: number;
  readonly shadow: number;
  readonly count: number;
}

function isApart(signal: ObservableName, means: Means, ratioMax: number): boolean {
  const larger = Math.max(means.production, means.shadow);
  const smaller = Math.min(means.production, means.shadow);
  return larger >= observables[signal].floor && larger > ratioMax * smaller;
}

/** Means of both sides over those of the newest `cells` cells in which both have a value. */
function meansOver(window: PairWindow, signal: ObservableName, cells: number): Means | undefined {
  const index = window.names.indexOf(signal);
  const production = window.production[index];
  const shadow = window.shadow[index];
  if (production === undefined || shadow === undefined) return undefined;
  let [productionSum, shadowSum, count] = [0, 0, 0];
  for (let cell = Math.max(0, window.cellCount - cells); cell < window.cellCount; cell += 1) {
    const left = production[cell] ?? NaN;
    const right = shadow[cell] ?? NaN;
    if (Number.isNaN(left) || Number.isNaN(right)) continue;
    productionSum += left;
    shadowSum += right;
    count += 1;
  }
  return count === 0
    ? undefined
    : { production: productionSum / count, shadow: shadowSum / count, count };
}
