// In: a seed. Out: numbers that look random and repeat for the same seed.
// Never: makes secrets; those come from node:crypto.

/** A stream of numbers in [0, 1). */
export type Random = () => number;

/**
 * @param seed any integer; the same seed gives the same stream. Algorithm: mulberry32 (Tommy
 * Ettinger, public domain).
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
