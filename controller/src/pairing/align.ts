// In: pairs, and a reader of what hosts reported. Out: one window for each pair, both hosts on one
// grid.
// Never: derives a host twice in a call, however many pairs it takes part in.

import { alignInto } from '@foreshadow/series';
import type { HostId, ObservableName, Pair, PairWindow, RawWindow } from '@foreshadow/model';
import { deriveHost, type DerivedHost } from './derive.ts';

/** An hour at 1 s; a longer span is cut at its old end. */
export const CELLS_MAX = 3_600;

interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly cellCount: number;
}

/**
 * Aligns all pairs at one instant. The step of a pair's grid is the longer of both sampling
 * intervals. Its end is the newest cell which both hosts have; when one side has fallen silent, one
 * cell behind the other side, so that the silence shows as absence. Cells lie so that the samples
 * of both hosts fall far from their edges, where a late sample cannot change its cell.
 *
 * @param options.read raw window of a host, valid until its next call; absent for a host that never
 *   reported
 * @param options.spanMs length of the windows; at most `CELLS_MAX` cells are made of it
 * Cost O(samples of all hosts) + O(pairs · observables · samples of a host).
 */
export function alignPairs(options: {
  readonly pairs: readonly Pair[];
  readonly read: (host: HostId) => RawWindow | undefined;
  readonly nowMs: number;
  readonly spanMs: number;
}): readonly PairWindow[] {
  const derived = new Map<HostId, DerivedHost | undefined>();
  const derive = (host: HostId): DerivedHost | undefined => {
    if (!derived.has(host)) {
      const raw = options.read(host);
      derived.set(host, raw === undefined ? undefined : deriveHost(raw));
    }
    return derived.get(host);
  };
  return options.pairs.map((pair) => {
    const production = derive(pair.production);
    const shadow = derive(pair.shadow);
    if (production === undefined || shadow === undefined) return emptyWindow(pair);
    const grid = gridOf({ production, shadow }, options);
    return grid === undefined ? emptyWindow(pair) : fillWindow(pair, { production, shadow }, grid);
  });
}

function emptyWindow(pair: Pair): PairWindow {
  return {
    pair,
    startMs: 0,
    stepMs: 1_000,
    cellCount: 0,
    names: [],
    production: [],
    shadow: [],
    commonCount: 0,
  };
}

interface Sides {
  readonly production: DerivedHost;
  readonly shadow: DerivedHost;
}

/** @returns absent when a side has no sample up to now */
function gridOf(
  { production, shadow }: Sides,
  { nowMs, spanMs }: { readonly nowMs: number; readonly spanMs: number },
): Grid | undefined {
  const stepMs = Math.max(production.intervalMs, shadow.intervalMs);
  // A clock that is further ahead must not pull the window into the future.
  const latestMs = nowMs + stepMs;
  const left = newestUpTo(production.times, latestMs);
  const right = newestUpTo(shadow.times, latestMs);
  if (left === undefined || right === undefined || !(stepMs > 0)) return undefined;
  const offsetMs = edgeBetween(left, right, stepMs);
  const leftCell = Math.floor((left - offsetMs) / stepMs);
  const rightCell = Math.floor((right - offsetMs) / stepMs);
  const endCell = Math.max(Math.min(leftCell, rightCell), Math.max(leftCell, rightCell) - 1) + 1;
  const cellCount = Math.min(CELLS_MAX, Math.max(1, Math.floor(spanMs / stepMs)));
  return { startMs: offsetMs + (endCell - cellCount) * stepMs, stepMs, cellCount };
}

function newestUpTo(times: Float64Array, latestMs: number): number | undefined {
  for (let index = times.length - 1; index >= 0; index -= 1) {
    const timeMs = times[index] ?? NaN;
    if (timeMs <= latestMs) return timeMs;
  }
  return undefined;
}

/**
 * The edge of cells, in [0, step), that is farthest from the phases of both hosts' samples: a
 * quarter of a step at least.
 */
function edgeBetween(leftMs: number, rightMs: number, stepMs: number): number {
  const phase = leftMs % stepMs;
  const gap = (((rightMs - leftMs) % stepMs) + stepMs) % stepMs;
  const edge = gap * 2 >= stepMs ? phase + gap / 2 : phase + (gap + stepMs) / 2;
  return edge % stepMs;
}

function fillWindow(pair: Pair, { production, shadow }: Sides, grid: Grid): PairWindow {
  const left = onGrid(production, grid);
  const right = onGrid(shadow, grid);
  const hasLeft = presence(left, grid.cellCount);
  const hasRight = presence(right, grid.cellCount);
  let commonCount = 0;
  let newestCell = -1;
  for (let cell = 0; cell < grid.cellCount; cell += 1) {
    if (hasLeft[cell] !== 1 || hasRight[cell] !== 1) continue;
    commonCount += 1;
    newestCell = cell;
  }
  const names = [...left.keys()].filter((name) => right.has(name));
  const pick = (side: ReadonlyMap<ObservableName, Float64Array>): Float64Array[] =>
    names.flatMap((name) => side.get(name) ?? []);
  return {
    pair,
    ...grid,
    names,
    production: pick(left),
    shadow: pick(right),
    commonCount,
    ...(newestCell >= 0 && { newestMs: grid.startMs + (newestCell + 1) * grid.stepMs }),
  };
}

/** Only observables with a value in the window. */
function onGrid(host: DerivedHost, grid: Grid): Map<ObservableName, Float64Array> {
  const result = new Map<ObservableName, Float64Array>();
  for (const [name, values] of host.values) {
    const cells = new Float64Array(grid.cellCount);
    alignInto(cells, host.times, values, grid);
    if (cells.some((value) => !Number.isNaN(value))) result.set(name, cells);
  }
  return result;
}

/** 1 for each cell in which the host reported at least one observable. */
function presence(cells: ReadonlyMap<ObservableName, Float64Array>, cellCount: number): Uint8Array {
  const result = new Uint8Array(cellCount);
  for (const values of cells.values()) {
    for (let cell = 0; cell < cellCount; cell += 1) {
      if (!Number.isNaN(values[cell])) result[cell] = 1;
    }
  }
  return result;
}
