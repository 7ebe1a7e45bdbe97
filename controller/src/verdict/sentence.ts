// In: a verdict's numbers. Out: one English sentence which has those that decided.
// Never: decides; another sentence never means another verdict.

import { unreachable } from '@foreshadow/runtime';
import { noiseUpper } from '@foreshadow/series';
import {
  observables,
  type Finding,
  type LoadComparison,
  type ObservableName,
  type PairDeviation,
  type VerdictReason,
  type VerdictStatus,
} from '@foreshadow/model';

interface Facts {
  readonly status: VerdictStatus;
  readonly reason: VerdictReason;
  /** The finding that decided; absent when no observable has a limit. */
  readonly decisive: Finding | undefined;
  readonly deviation: PairDeviation;
  readonly nowMs: number;
}

export function sentenceOf(facts: Facts): string {
  const { status, decisive } = facts;
  if (status === 'inconclusive') return `Not judged: ${hindranceOf(facts)}.`;
  if (decisive === undefined) throw new TypeError(`a verdict ${status} without a finding`);
  const what = `${decisive.observable} ${distanceOf(decisive)}`;
  if (status === 'diverged') return `${what} in ${breachesOf(decisive)}.`;
  if (status === 'aligned') return `${what}${allowanceOf(decisive)}.`;
  return (
    `${what} and grows by ${percent(decisive.trendPerMinute ?? 0)} a minute; ` +
    `at this pace it crosses its limit in ${duration(decisive.timeToLimitMs ?? 0)}.`
  );
}

function breachesOf({ breachCount, evaluationCount }: Finding): string {
  return `${breachCount} of the last ${evaluationCount} evaluations`;
}

/** Why a deviation over its limit may still be within what is allowed. */
function allowanceOf(finding: Finding): string {
  const { observable, deviation = 0, production = 0, shadow = 0, limits, noise } = finding;
  if (limits === undefined || deviation <= limits.deviation) return ', within its limit';
  if (finding.breachCount > 0) return `, but over its limit in only ${breachesOf(finding)}`;
  if (Math.abs(production - shadow) < limits.floor)
    return `, but the difference is below its floor of ${quantity(observable, limits.floor)}`;
  return `, within the pair's usual noise of up to ${percent(noiseUpper(noise) ?? 0)}`;
}

function distanceOf(finding: Finding): string {
  const { observable, production = 0, shadow = 0, limits } = finding;
  const [left, right] = [quantity(observable, production), quantity(observable, shadow)];
  const sides = `production ${left}, shadow ${right}`;
  return finding.deviation === undefined
    ? `is compared by distance (${sides}; floor ${quantity(observable, limits?.floor ?? 0)})`
    : `deviates by ${percent(finding.deviation)} (${sides}; limit ${percent(limits?.deviation ?? 0)})`;
}

function hindranceOf({ reason, decisive, deviation, nowMs }: Facts): string {
  const { commonCount, stepMs, newestMs = nowMs } = deviation;
  switch (reason) {
    case 'LOAD_NOT_COMPARABLE':
      return loadDifference(deviation.load);
    case 'LOAD_UNKNOWN':
      return 'no load signal is reported by both hosts, so that their load cannot be compared';
    case 'STALE':
      return `the newest samples that both hosts have are ${duration(nowMs - newestMs)} old`;
    case 'TOO_FEW_SAMPLES':
    case 'NO_SAMPLES':
      return decisive === undefined || decisive.evaluationCount === 0
        ? `the hosts have ${commonCount} cells of ${duration(stepMs)} in common so far`
        : `${decisive.observable} could be evaluated only ${decisive.evaluationCount} times of late`;
    case 'NOTHING_JUDGED':
      return 'no observable that both hosts report has a limit';
    case 'WITHIN_LIMITS':
    case 'OVER_LIMIT':
    case 'APPROACHING_LIMIT':
      throw new TypeError(`${reason} is no reason to leave a pair unjudged`);
    default:
      return unreachable(reason);
  }
}

function loadDifference(load: LoadComparison): string {
  if (load.kind === 'unknown') throw new TypeError('an unknown load has no difference');
  const { signal, production, shadow } = load;
  const [idler, other] =
    shadow < production ? ['shadow', "production's"] : ['production host', "the shadow's"];
  return (
    `production has ${quantity(signal, production)}, shadow ${quantity(signal, shadow)} ` +
    `(${signal}); the ${idler} does not carry ${other} load`
  );
}

function percent(ratio: number): string {
  const value = ratio * 100;
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} %`;
}

function quantity(observable: ObservableName, value: number): string {
  const { unit } = observables[observable];
  const suffix = unit.endsWith('/second') ? '/s' : '';
  if (!unit.startsWith('bytes')) return `${Number(value.toPrecision(3))}${suffix}`;
  const scale = ['B', 'kB', 'MB', 'GB'].map((name, power) => ({ name, size: 1_000 ** power }));
  const { name, size } = scale.findLast((one) => value >= one.size) ?? { name: 'B', size: 1 };
  return `${Number((value / size).toPrecision(3))} ${name}${suffix}`;
}

function duration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
