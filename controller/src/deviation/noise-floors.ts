// In: deviations of pairs at times when they should be nothing but noise. Out: the noise floor of
// each observable of each pair.
// Never: decides when to learn; the verdict says that.

import type { NoiseFloor, ObservableName, PairDeviation, PairId } from '@foreshadow/model';
import { updateNoise } from '@foreshadow/series';

/** Floors by `<pair>/<observable>`; bounded by pairs times observables. */
export interface NoiseFloors {
  get(pair: PairId, observable: ObservableName): NoiseFloor | undefined;
  learn(deviation: PairDeviation): void;
  entries(): Iterable<readonly [string, NoiseFloor]>;
  /** Takes up what an earlier run had learned. */
  restore(key: string, floor: NoiseFloor): void;
}

export function createNoiseFloors(): NoiseFloors {
  const floors = new Map<string, NoiseFloor>();
  return {
    get: (pair, observable) => floors.get(`${pair}/${observable}`),
    learn: ({ pair, deviations }) => {
      for (const { observable, deviation } of deviations) {
        if (deviation === undefined) continue;
        const key = `${pair.id}/${observable}`;
        floors.set(key, updateNoise(floors.get(key), deviation));
      }
    },
    entries: () => floors.entries(),
    restore: (key, floor) => {
      floors.set(key, floor);
    },
  };
}
