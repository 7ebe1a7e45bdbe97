// In: deviations of pairs at times when they should be nothing but noise. Out: the noise floor of
// each observable of each pair.
// Never: decides when to learn; the verdict says that.

import type { NoiseFloor, ObservableName, PairDeviation, PairId } from '@foreshadow/model';
import { updateNoise } from '@foreshadow/series';

/** Floors by `<pair>/<observable>`; bounded by pairs times observables. */
export interface NoiseFloors {
  get(pair: PairId, observable: ObservableName): NoiseFloor | undefined;
  learn(deviation: PairDeviation): void;
  /** Floors that have learned since this was last asked. */
  takeChanged(): readonly (readonly [key: string, floor: NoiseFloor])[];
  /** Takes up what an earlier run had learned. */
  restore(key: string, floor: NoiseFloor): void;
}

export function createNoiseFloors(): NoiseFloors {
  const floors = new Map<string, NoiseFloor>();
  const changed = new Map<string, NoiseFloor>();
  return {
    get: (pair, observable) => floors.get(`${pair}/${observable}`),
    learn: ({ pair, deviations }) => {
      for (const { observable, deviation } of deviations) {
        if (deviation === undefined) continue;
        const key = `${pair.id}/${observable}`;
        const floor = updateNoise(floors.get(key), deviation);
        floors.set(key, floor);
        changed.set(key, floor);
      }
    },
    takeChanged: () => {
      const taken = [...changed];
      changed.clear();
      return taken;
    },
    restore: (key, floor) => {
      floors.set(key, floor);
    },
  };
}
