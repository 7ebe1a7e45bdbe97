// In: bounds and randomness. Out: how long to wait before trying again.
// Never: tries; the caller owns its loop.

import type { Random } from './random.ts';

/**
 * Full jitter: uniform in [0, min(maxMs, firstMs·2^attempt)], so that a fleet does not return in
 * step.
 */
export function backoffMs(
  attempt: number,
  bounds: { readonly firstMs: number; readonly maxMs: number },
  random: Random,
): number {
  const ceilingMs = Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.min(attempt, DOUBLINGS_MAX));
  return Math.floor(random() * ceilingMs);
}

// Beyond it the product would leave the exact integers; maxMs holds long before.
const DOUBLINGS_MAX = 30;
