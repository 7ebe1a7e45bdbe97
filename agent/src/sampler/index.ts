// In: units (collectors) and a clock. Out: each tick, what they reported and how they fared; and
// when to tick.
// Never: lets one unit stop or delay the others beyond its time limit, or hands on a number that is
// not finite.

export { createSampler, DONE_REPORTS_EVERY_MS } from './sampler.ts';
export type { Sampler, SampledUnit, SamplerOptions, Tick } from './sampler.ts';
export { nextTickMs, TICK_SLACK_RATIO } from './grid.ts';
