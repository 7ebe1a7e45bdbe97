// In: known hosts, pairs that an operator named, and label rules. Out: pairs, and why a wish could
// not be met.
// Never: pairs hosts of one role.

import { pairIdOf, type HostId, type HostRecord, type Pair, type PairId } from '@foreshadow/model';

export const PAIRS_MAX = 10_000;

/** Pairs every production host with every shadow host that has equal values of all these labels. */
export interface PairingRule {
  readonly name: string;
  /** A host without one of them is left out. */
  readonly labels: readonly string[];
}

export interface PairingProblem {
  readonly code: 'HOST_UNKNOWN' | 'WRONG_ROLE' | 'SELF_PAIR' | 'TOO_MANY_PAIRS';
  readonly sentence: string;
}

interface Wish {
  readonly production: HostId;
  readonly shadow: HostId;
}

/**
 * Who is compared with whom. A pair that is both explicit and made by a rule is explicit; the first
 * rule names it otherwise. One shadow may serve many production hosts: each combination is a pair.
 *
 * @returns pairs in order of explicit wishes, then rules, each in order of host ids; at most
 *   `PAIRS_MAX`
 */
export function formPairs(options: {
  readonly hosts: readonly HostRecord[];
  readonly explicit: readonly Wish[];
  readonly rules: readonly PairingRule[];
}): { readonly pairs: readonly Pair[]; readonly problems: readonly PairingProblem[] } {
  const hosts = new Map(options.hosts.map((host) => [host.id, host]));
  const pairs = new Map<PairId, Pair>();
  const problems: PairingProblem[] = [];
  let leftOutCount = 0;
  const add = (wish: Wish, origin: string): void => {
    const id = pairIdOf(wish.production, wish.shadow);
    if (pairs.has(id)) return;
    if (pairs.size < PAIRS_MAX) pairs.set(id, { id, ...wish, origin });
    else leftOutCount += 1;
  };
  for (const { production, shadow } of options.explicit) {
    const problem = problemOf({ production, shadow }, hosts);
    if (problem === undefined) add({ production, shadow }, 'explicit');
    else problems.push(problem);
  }
  for (const rule of options.rules) {
    for (const wish of wishesOf(rule, options.hosts)) add(wish, rule.name);
  }
  if (leftOutCount > 0)
    problems.push({
      code: 'TOO_MANY_PAIRS',
      sentence: `${leftOutCount} pairs beyond ${PAIRS_MAX} are left out; narrow the label rules.`,
    });
  return { pairs: [...pairs.values()], problems };
}

function problemOf(wish: Wish, hosts: ReadonlyMap<HostId, HostRecord>): PairingProblem | undefined {
  const name = `The pair of ${wish.production} and ${wish.shadow}`;
  if (wish.production === wish.shadow)
    return { code: 'SELF_PAIR', sentence: `${name} compares a host with itself.` };
  for (const role of ['production', 'shadow'] as const) {
    const host = hosts.get(wish[role]);
    if (host === undefined)
      return {
        code: 'HOST_UNKNOWN',
        sentence: `${name} waits: ${wish[role]} has not reported yet.`,
      };
    if (host.role !== role)
      return {
        code: 'WRONG_ROLE',
        sentence: `${name} needs ${host.id} as ${role}, but its agent says that it is ${host.role}.`,
      };
  }
  return undefined;
}

function* wishesOf(rule: PairingRule, hosts: readonly HostRecord[]): Generator<Wish> {
  const sorted = hosts.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const shadows = new Map<string, HostId[]>();
  for (const host of sorted) {
    const group = groupOf(rule, host);
    if (host.role !== 'shadow' || group === undefined) continue;
    const members = shadows.get(group);
    if (members === undefined) shadows.set(group, [host.id]);
    else members.push(host.id);
  }
  for (const host of sorted) {
    const group = groupOf(rule, host);
    if (host.role !== 'production' || group === undefined) continue;
    for (const shadow of shadows.get(group) ?? []) yield { production: host.id, shadow };
  }
}

/**
 * @returns the values of the rule's labels as one key; absent where the host lacks one, or the rule
 *   names none
 */
function groupOf(rule: PairingRule, host: HostRecord): string | undefined {
  const values = rule.labels.map((label) =>
    Object.hasOwn(host.labels, label) ? host.labels[label] : undefined,
  );
  return values.length === 0 || values.includes(undefined) ? undefined : JSON.stringify(values);
}
