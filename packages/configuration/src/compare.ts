// In: what is known of the configuration of two hosts. Out: drifts, expected differences, and what
// could not be compared.
// Never: takes ignorance for sameness or for drift, and never remembers: everything follows from
// its arguments.

import type {
  Drift,
  ItemKey,
  PairId,
  Side,
  TrackedItem,
  UnreadableReason,
} from '@foreshadow/model';
import { itemKey, parseItemKey } from '@foreshadow/model';
import type { ExpectedRules } from './expected.ts';
import { EVERYTHING } from './exclusions.ts';

/** Beyond this a list is no longer read; the count of what was cut is. */
export const DRIFTS_PER_PAIR_MAX = 1_000;

type Inventory = ReadonlyMap<ItemKey, TrackedItem>;

export interface ComparisonInput {
  readonly pair: PairId;
  readonly production: Inventory;
  readonly shadow: Inventory;
  readonly expected: ExpectedRules;
  /** Epoch ms. */
  readonly nowMs: number;
}

/** An item of which at least one side cannot say what it is. Neither the same nor a drift. */
export interface UnreadableItem {
  readonly item: ItemKey;
  /** Absent for a side that can read it, or does not have it. */
  readonly production?: UnreadableReason;
  readonly shadow?: UnreadableReason;
}

/** An identity item. `holds` is false where hosts that must differ do not, as clones. */
export interface ExpectedDifference {
  readonly item: ItemKey;
  readonly reason: string;
  readonly holds: boolean;
}

/**
 * Each list is in order of item key and has at most `DRIFTS_PER_PAIR_MAX` entries; `…CutCount`
 * tells how many more there were.
 */
export interface Comparison {
  readonly drifts: readonly Drift[];
  readonly driftsCutCount: number;
  readonly unreadable: readonly UnreadableItem[];
  readonly unreadableCutCount: number;
  readonly expected: readonly ExpectedDifference[];
  /** Items that both hosts have and could read. */
  readonly comparedCount: number;
}

/**
 * Compares two inventories item by item.
 * An item that one side lacks, below a folder (or within a subject) which that side cannot read, is
 * unreadable there, not missing.
 * Cost linear in the items of both sides, and n log n in what differs.
 */
export function compareInventories(input: ComparisonInput): Comparison {
  const drifts: Drift[] = [];
  const unreadable: UnreadableItem[] = [];
  const expected: ExpectedDifference[] = [];
  let comparedCount = 0;
  for (const key of new Set([...input.production.keys(), ...input.shadow.keys()])) {
    const production = input.production.get(key);
    const shadow = input.shadow.get(key);
    if (production?.item !== undefined && shadow?.item !== undefined) comparedCount += 1;
    const blind = blindness(input, key);
    if (blind !== undefined) {
      unreadable.push(blind);
      continue;
    }
    const isSame = production?.item?.digest === shadow?.item?.digest;
    const rule = input.expected.ruleFor(key);
    if (rule !== undefined) {
      const isClone = isSame && production?.item !== undefined;
      if (!isSame || (isClone && rule.rule === 'must-differ'))
        expected.push({ item: key, reason: rule.reason, holds: !isSame });
    } else if (!isSame) {
      const drift = driftOf(input, key);
      if (drift !== undefined) drifts.push(drift);
    }
  }
  return {
    drifts: firstOf(drifts),
    driftsCutCount: Math.max(0, drifts.length - DRIFTS_PER_PAIR_MAX),
    unreadable: firstOf(unreadable),
    unreadableCutCount: Math.max(0, unreadable.length - DRIFTS_PER_PAIR_MAX),
    expected: firstOf(expected),
    comparedCount,
  };
}

/** @returns undefined when both sides know whether they have the item and what it is */
function blindness(input: ComparisonInput, key: ItemKey): UnreadableItem | undefined {
  const production = reasonOf(input.production, key);
  const shadow = reasonOf(input.shadow, key);
  return production === undefined && shadow === undefined
    ? undefined
    : {
        item: key,
        ...(production === undefined ? {} : { production }),
        ...(shadow === undefined ? {} : { shadow }),
      };
}

function reasonOf(inventory: Inventory, key: ItemKey): UnreadableReason | undefined {
  const tracked = inventory.get(key);
  if (tracked?.item !== undefined) return undefined;
  return tracked?.unreadable ?? reasonAbove(inventory, key);
}

/**
 * Why the folder or the subject that would hold an item could not be read; undefined when it could.
 */
function reasonAbove(inventory: Inventory, key: ItemKey): UnreadableReason | undefined {
  const parsed = parseItemKey(key);
  if (parsed === undefined) return undefined;
  const { subject, name } = parsed;
  if (subject === 'file') {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const reason = inventory.get(itemKey(subject, name.slice(0, end)))?.unreadable;
      if (reason !== undefined) return reason;
    }
  }
  return inventory.get(itemKey(subject, EVERYTHING))?.unreadable;
}

/** @returns undefined when neither side has the item */
function driftOf(input: ComparisonInput, key: ItemKey): Drift | undefined {
  const production = input.production.get(key);
  const shadow = input.shadow.get(key);
  const item = production?.item ?? shadow?.item;
  if (item === undefined) return undefined;
  const changedSide = changedSideOf(production, shadow);
  const sinceMs = Math.max(production?.changedMs ?? -Infinity, shadow?.changedMs ?? -Infinity);
  return {
    pair: input.pair,
    item: key,
    subject: item.subject,
    name: item.name,
    difference: differenceOf(production, shadow),
    ...(changedSide === undefined ? {} : { changedSide }),
    ...(production?.item === undefined
      ? {}
      : { productionDigest: production.item.digest, productionFacts: production.item.facts }),
    ...(shadow?.item === undefined
      ? {}
      : { shadowDigest: shadow.item.digest, shadowFacts: shadow.item.facts }),
    sinceMs: Math.min(input.nowMs, sinceMs),
  };
}

function differenceOf(
  production: TrackedItem | undefined,
  shadow: TrackedItem | undefined,
): Drift['difference'] {
  if (production?.item === undefined) return 'missing-on-production';
  return shadow?.item === undefined ? 'missing-on-shadow' : 'differs';
}

/** The side that left, last, what the other still has. Absence is a state like any other. */
function changedSideOf(
  production: TrackedItem | undefined,
  shadow: TrackedItem | undefined,
): Side | undefined {
  const productionLeft = hasLeft(production, shadow);
  const shadowLeft = hasLeft(shadow, production);
  if (productionLeft === shadowLeft) return undefined;
  return productionLeft ? 'production' : 'shadow';
}

function hasLeft(side: TrackedItem | undefined, other: TrackedItem | undefined): boolean {
  return (
    side !== undefined &&
    side.changedMs > side.firstSeenMs &&
    side.changedMs >= (other?.changedMs ?? -Infinity) &&
    side.previousDigest === other?.item?.digest
  );
}

function firstOf<Entry extends { readonly item: ItemKey }>(
  entries: readonly Entry[],
): readonly Entry[] {
  return entries

    .toSorted((left, right) => (left.item < right.item ? -1 : 1))
    .slice(0, DRIFTS_PER_PAIR_MAX);
}
