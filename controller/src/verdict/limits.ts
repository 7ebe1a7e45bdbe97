// In: an operator's limits, by default, by label and by pair. Out: the limits of one observable of
// one pair.
// Never: judges what nobody set a deviation limit for.

import {
  observables,
  type Labels,
  type Limits,
  type ObservableName,
  type Pair,
  type PairId,
} from '@foreshadow/model';

/** What is set at one place; the rest comes from the place below. */
export type LimitTable = Readonly<Partial<Record<ObservableName, Partial<Limits>>>>;

/** Limits for the pairs whose production host has all these labels with these values. */
export interface LabelLimits {
  readonly name: string;
  readonly match: Labels;
  readonly limits: LimitTable;
}

export type ResolveLimit = (pair: Pair, observable: ObservableName) => Limits | undefined;

const VELOCITY_PER_MINUTE = 0.05;

/** The specification's: 10 % of CPU, 15 % of memory, 5 % a minute. */
export const defaultLimits: LimitTable = {
  cpu_used_ratio: { deviation: 0.1, velocityPerMinute: VELOCITY_PER_MINUTE },
  memory_used_ratio: { deviation: 0.15, velocityPerMinute: VELOCITY_PER_MINUTE },
};

/**
 * Pair goes over label, label over default, number by number; of several label rules the first that
 * sets a number holds. What remains open is the specification's velocity and the catalogue's floor.
 *
 * @param options.labelsOf labels of a host; a pair matches by those of its production host
 * @returns a function which answers absent where no deviation limit is set: reported, never judged
 */
export function resolveLimits(options: {
  readonly defaults: LimitTable;
  readonly labelRules: readonly LabelLimits[];
  readonly pairRules: ReadonlyMap<PairId, LimitTable>;
  readonly labelsOf: (pair: Pair) => Labels;
}): ResolveLimit {
  return (pair, observable) => {
    const labels = options.labelsOf(pair);
    const places = [
      options.pairRules.get(pair.id),
      ...options.labelRules
        .filter((rule) => isMatch(rule.match, labels))
        .map(({ limits }) => limits),
      options.defaults,
    ];
    const first = (field: keyof Limits): number | undefined =>
      places.find((place) => place?.[observable]?.[field] !== undefined)?.[observable]?.[field];
    const deviation = first('deviation');
    if (deviation === undefined) return undefined;
    return {
      deviation,
      velocityPerMinute: first('velocityPerMinute') ?? VELOCITY_PER_MINUTE,
      floor: first('floor') ?? observables[observable].floor,
    };
  };
}

function isMatch(match: Labels, labels: Labels): boolean {
  return Object.entries(match).every(([label, value]) => labels[label] === value);
}
