// In: deviations of a pair whose configuration is the same, one by one. Out: where they usually
// lie.
// Never: lets one wild value move the floor far; it is clipped first.

import type { NoiseFloor } from '@foreshadow/model';

/** Before so many points the floor is not used: it would say more of chance than of the pair. */
export const NOISE_POINTS_MIN = 60;

const MEMORY_POINTS = 300; // Five minutes at 1 s sampling, 50 minutes at 10 s.
const CLIP_SPREADS = 3;
const WARM_UP_POINTS = 10; // Until then nothing is known to clip by.
const CLIP_MIN = 0.005; // Half a percent: lets a floor learned on silence grow again.
// √(π/2): makes the mean absolute distance estimate σ of normal data.
const ABSOLUTE_TO_SIGMA = 1.2533;
const UPPER_SPREADS = 3;

/**
 * Takes one more deviation into the floor: exponentially weighted centre and spread, each step
 * clipped (Huber).
 *
 * @param noise absent for the first point
 * @param deviation ratio; a value that is not finite changes nothing
 * Cost O(1).
 */
export function updateNoise(noise: NoiseFloor | undefined, deviation: number): NoiseFloor {
  const { center, spread, n } = noise ?? { center: 0, spread: 0, n: 0 };
  if (!Number.isFinite(deviation)) return { center, spread, n };
  if (n === 0) return { center: deviation, spread: 0, n: 1 };
  const clip = n < WARM_UP_POINTS ? Infinity : Math.max(CLIP_SPREADS * spread, CLIP_MIN);
  const step = Math.min(Math.max(deviation - center, -clip), clip);
  const weight = 1 / Math.min(n + 1, MEMORY_POINTS);
  return {
    center: center + weight * step,
    spread: spread + weight * (ABSOLUTE_TO_SIGMA * Math.abs(step) - spread),
    n: n + 1,
  };
}

/**
 * @returns the deviation that noise alone hardly reaches: centre and three spreads; absent until it
 *   is learned
 */
export function noiseUpper(noise: NoiseFloor | undefined): number | undefined {
  return isLearned(noise) ? noise.center + UPPER_SPREADS * noise.spread : undefined;
}

/**
 * @returns distance of a deviation from the floor's centre in spreads; absent until the floor is
 *   learned
 */
export function noiseExcess(noise: NoiseFloor | undefined, deviation: number): number | undefined {
  return isLearned(noise) && noise.spread > 0
    ? (deviation - noise.center) / noise.spread
    : undefined;
}

function isLearned(noise: NoiseFloor | undefined): noise is NoiseFloor {
  return noise !== undefined && noise.n >= NOISE_POINTS_MIN;
}
