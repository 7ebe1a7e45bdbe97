// In: one incident and all that bears on it now. Out: what to do about it.
// Never: does it, or lets a verdict that does not know lead to a change.

import type {
  Decision,
  HostRecord,
  Incident,
  Pair,
  RestoreOrder,
  Verdict,
} from '@foreshadow/model';
import type { PolicyRules } from './schema.ts';

/** Between two restores of one item of a pair. */
export const RESTORE_COOLDOWN_MS = 30_000;
/**
 * An item that comes back more often is somebody's intention, or something that a restore does not
 * cure.
 */
export const RESTORES_PER_HOUR_MAX = 3;

const HOUR_MS = 3_600_000;

interface Case {
  readonly incident: Incident;
  readonly pair: Pair;
  /** The pair's newest verdict; absent before the first. */
  readonly verdict: Verdict | undefined;
  /** What the controller knows of the pair's shadow host; absent when it is unknown. */
  readonly shadowHost: HostRecord | undefined;
  readonly rules: PolicyRules;
  /**
   * Decisions on the same subject of the same pair, in this incident and in earlier ones; the last
   * hour is enough.
   */
  readonly history: readonly { readonly decision: Decision; readonly atMs: number }[];
  readonly nowMs: number;
}

type Rule = PolicyRules['rules'][number];
type None = Extract<Decision, { kind: 'none' }>;

/**
 * Decides on one open incident. For each action the first matching rule holds. An alert is given
 * once an incident.
 *
 * @returns at least one decision and at most one of each kind of action, restore first; `none`
 *   explains itself, and says the same for as long as the same holds, so that its repetition need
 *   not be recorded
 */
export function decide(given: Case): readonly [Decision, ...Decision[]] {
  const { incident, rules } = given;
  if (incident.state === 'closed') return [none(given, undefined, 'The incident is closed.')];
  const matching = rules.rules.filter((rule) => isMatch(rule, given));
  const restoreRule = matching.find((rule) => rule.do === 'restore');
  const alertRule = matching.find((rule) => rule.do === 'alert');
  const restore = restoreRule === undefined ? undefined : restoreBy(restoreRule, given);
  const alert = alertRule === undefined ? undefined : alertBy(alertRule, given);
  if (restore === undefined)
    return [alert ?? none(given, undefined, `No rule speaks of it: ${incident.sentence}`)];
  return alert === undefined || alert.kind === restore.kind ? [restore] : [restore, alert];
}

function isMatch({ when }: Rule, { incident, verdict }: Case): boolean {
  const { drift } = incident;
  return (
    when.incident === incident.kind &&
    (when.subject === undefined || when.subject === drift?.subject) &&
    (when.changedSide === undefined || when.changedSide === drift?.changedSide) &&
    (when.verdict === undefined || (verdict !== undefined && when.verdict.includes(verdict.status)))
  );
}

function alertBy(rule: Rule, given: Case, explanation = ''): Decision {
  const { incident, history } = given;
  const isGiven = history.some(
    ({ decision }) => decision.kind === 'alert' && decision.incident === incident.id,
  );
  if (isGiven) return none(given, rule, 'The alert was given already.');
  const sentence = `${incident.sentence}${explanation}`;
  return { kind: 'alert', incident: incident.id, rule: rule.name, sentence };
}

function restoreBy(rule: Rule, given: Case): Decision {
  const { incident, pair } = given;
  const { drift } = incident;
  if (drift === undefined || drift.subject !== 'file')
    return none(given, rule, 'Nothing to restore: only files can be put back.');
  if (drift.changedSide === 'production')
    return alertBy(rule, given, ' Production is alert-only, so it is not restored.');
  const order = orderOf(given);
  if (typeof order === 'string') return none(given, rule, `Not restored: ${order}.`);
  const hindrance = hindranceOf(given);
  if (hindrance !== undefined) return none(given, rule, `Not restored: ${hindrance}.`);
  return {
    kind: 'restore',
    incident: incident.id,
    rule: rule.name,
    sentence: `Restore file ${drift.name} on ${pair.shadow} to production's content.`,
    host: pair.shadow,
    order,
  };
}

/** @returns the order, or why there is none */
function orderOf({ incident: { drift } }: Case): RestoreOrder | string {
  if (drift?.changedSide !== 'shadow') return 'it is not known which side changed it';
  const expectedDigest = drift.shadowFacts?.['content'];
  const targetDigest = drift.productionFacts?.['content'];
  if (drift.difference !== 'differs') return 'only one host has the file';
  if (expectedDigest === undefined || targetDigest === undefined)
    return 'the content of the file is not known on both hosts';
  if (expectedDigest === targetDigest) return 'the content is the same, only attributes differ';
  return { kind: 'restore', item: drift.item, expectedDigest, targetDigest };
}

/** @returns why no command may go out now; absent when one may */
function hindranceOf(given: Case): string | undefined {
  const { verdict, shadowHost, history, nowMs } = given;
  if (verdict === undefined || verdict.status === 'inconclusive')
    return 'the verdict is inconclusive, and no command follows from that';
  if (shadowHost?.isConnected !== true)
    return 'the shadow host is not connected, and commands never wait';
  const restored = history
    .filter(({ decision }) => decision.kind === 'restore')
    .map(({ atMs }) => atMs);
  if (restored.some((atMs) => nowMs - atMs < RESTORE_COOLDOWN_MS))
    return `it was ordered less than ${RESTORE_COOLDOWN_MS / 1_000} s ago`;
  if (restored.filter((atMs) => nowMs - atMs < HOUR_MS).length >= RESTORES_PER_HOUR_MAX)
    return `it came back after ${RESTORES_PER_HOUR_MAX} restores within an hour; a person must look`;
  return undefined;
}

function none({ incident }: Case, rule: Rule | undefined, sentence: string): None {
  return {
    kind: 'none',
    incident: incident.id,
    ...(rule !== undefined && { rule: rule.name }),
    sentence,
  };
}
