// In: what happened to a pair. Out: a record that is not yet numbered, and what an incident holds.
// Never: stores or numbers.

import { unreachable } from '@foreshadow/runtime';
import type { Drift, IncidentRecord, Verdict } from '@foreshadow/model';

/** A record before it has its place in the ledger. */
export type IncidentChange = Omit<IncidentRecord, 'sequence'>;

/** The subject of every incident on behaviour: a pair has at most one open. */
export const BEHAVIOUR = 'behaviour';

const kindNames: Readonly<Record<Drift['subject'], string>> = {
  file: 'file',
  package: 'package',
  service: 'service',
  'kernel-parameter': 'kernel parameter',
};

/** One sentence: the item by name, how it differs, and which side departed where that is known. */
export function driftSentence(drift: Drift): string {
  const name = `${kindNames[drift.subject]} ${drift.name}`;
  const who =
    drift.changedSide === undefined
      ? 'it is not known which side changed it'
      : `${drift.changedSide === 'shadow' ? 'the shadow' : 'production'} changed it`;
  switch (drift.difference) {
    case 'differs':
      return `${name} differs: ${who}.`;
    case 'missing-on-production':
      return `${name} is only on the shadow: ${who}.`;
    case 'missing-on-shadow':
      return `${name} is only on production: ${who}.`;
    default:
      return unreachable(drift.difference);
  }
}

export function driftGoneSentence(drift: Drift): string {
  return `${kindNames[drift.subject]} ${drift.name} is the same on both hosts again.`;
}

/**
 * The newest state of a drift that has an incident. Where it does not say who changed the item, as
 * after a second edit, it is still the drift that began when and where the first state said; unless
 * the other side has changed the item, too.
 */
export function continued(before: Drift, newest: Drift): Drift {
  if (newest.changedSide !== undefined) return newest;
  const { changedSide, sinceMs } = before;
  const isOtherSideAsBefore =
    changedSide === 'shadow'
      ? newest.productionDigest === before.productionDigest
      : newest.shadowDigest === before.shadowDigest;
  const isKnown = changedSide !== undefined && isOtherSideAsBefore;
  return { ...newest, sinceMs, ...(isKnown && { changedSide }) };
}

/** Whether an open incident has something new to tell. */
export function isSameDrift(left: Drift, right: Drift): boolean {
  return (
    left.difference === right.difference &&
    left.changedSide === right.changedSide &&
    left.productionDigest === right.productionDigest &&
    left.shadowDigest === right.shadowDigest
  );
}

/** The observables that have diverged, in order of the verdict's findings. */
export function divergedObservables(verdict: Verdict): readonly string[] {
  return verdict.findings
    .filter(({ status }) => status === 'diverged')
    .map(({ observable }) => observable);
}
