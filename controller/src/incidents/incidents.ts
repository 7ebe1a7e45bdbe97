// In: drifts, verdicts and notes. Out: changes; committed, they are numbered, made durable and only
// then seen.
// Never: lets two commits overlap, so that sequence numbers rise by one.

import type { NewIdentifier } from '@foreshadow/runtime';
import {
  parseIncidentId,
  type Drift,
  type Incident,
  type IncidentId,
  type IncidentRecord,
  type ItemKey,
  type PairId,
  type Verdict,
} from '@foreshadow/model';
import {
  BEHAVIOUR,
  continued,
  divergedObservables,
  driftGoneSentence,
  driftSentence,
  isSameDrift,
  type IncidentChange,
} from './change.ts';
import { createLedger, type Ledger, type Opening, type PastDecision } from './ledger.ts';

/**
 * Open drift incidents of one pair; hosts that differ in more are not alike, and the list of drifts
 * says so better.
 */
export const DRIFT_INCIDENTS_PER_PAIR_MAX = 200;
/** Open incidents of all pairs. */
export const INCIDENTS_OPEN_MAX = 8_000;

/** What comparing the items of a pair has shown. */
export interface ComparedItems {
  readonly drifts: readonly Drift[];
  /** Items of which nobody knows now whether they differ. */
  readonly unreadable: ReadonlySet<ItemKey>;
  /**
   * Whether a list was cut, so that an item may differ, or be unreadable, without standing here.
   */
  readonly isCut: boolean;
}

export interface Incidents {
  /** At open, for each record that the store holds, in order. */
  restore(record: IncidentRecord): void;
  /**
   * Opens an incident for each new drift, and closes that of an item which is known to be the same
   * again: an item that became unreadable, or may have been cut, keeps its incident open.
   */
  recordDrifts(pair: PairId, compared: ComparedItems, nowMs: number): readonly IncidentChange[];
  /**
   * Opens on `diverged`, closes on `aligned`; `diverging` and `inconclusive` leave things as they
   * are.
   */
  recordVerdict(verdict: Verdict): readonly IncidentChange[];
  /** Closes what is open on pairs that are no longer formed: nobody compares their hosts now. */
  recordPairs(formed: ReadonlySet<string>, nowMs: number): readonly IncidentChange[];
  /**
   * Numbers the changes, waits until they are durable, and shows them. Commits queue up behind each
   * other. What was decided or done about an incident is a change, too: `decided` with
   * `details.decision`, `commanded`, `outcome`.
   * @throws what `persist` throws; then nothing was recorded, and the same changes can be made
   *   again
   */
  commit(changes: readonly IncidentChange[]): Promise<readonly IncidentRecord[]>;
  /** Incidents in memory in order of opening. */
  list(): readonly Incident[];
  get(id: IncidentId): Incident | undefined;
  /** The incident's records in order; empty when it is not in memory. */
  records(id: IncidentId): readonly IncidentRecord[];
  /** The newest decisions of each kind on one subject of a pair, oldest first. */
  decisions(of: Pick<Incident, 'pair' | 'subject'>): readonly PastDecision[];
  /** Drifts for which no incident was opened, because a bound was reached; since the start. */
  suppressedCount(): number;
}

/**
 * @param options.newIdentifier makes incident ids; injected, so that a run can repeat
 * @param options.persist resolves when the records are durable
 */
export function createIncidents(options: {
  readonly newIdentifier: NewIdentifier;
  readonly persist: (records: readonly IncidentRecord[]) => Promise<void>;
}): Incidents {
  const ledger = createLedger();
  let suppressedCount = 0;
  let last: Promise<unknown> = Promise.resolve();

  const openNew = (opening: Opening, facts: Facts): IncidentChange => {
    const incident = parseIncidentId(options.newIdentifier('inc'));
    if (incident === undefined) throw new TypeError('newIdentifier made no incident id');
    const details = { ...facts.details, ...opening };
    return { incident, atMs: facts.atMs, change: 'opened', sentence: facts.sentence, details };
  };
  const commit = async (changes: readonly IncidentChange[]): Promise<readonly IncidentRecord[]> => {
    const first = ledger.sequence() + 1;
    const records = changes.map((change, index) => ({ sequence: first + index, ...change }));
    if (records.length > 0) await options.persist(records);
    for (const record of records) ledger.add(record);
    return records;
  };
  return {
    restore: (record) => ledger.add(record),
    recordDrifts(pair, compared, nowMs) {
      const open = ledger.open(pair).filter(({ kind }) => kind === 'drift');
      const told = changesOfOpen(open, compared, nowMs);
      const known = new Set(open.map(({ subject }) => subject));
      const fresh = compared.drifts.filter(({ item }) => !known.has(item));
      const opened = fresh.slice(0, roomLeft(ledger, open.length));
      suppressedCount += fresh.length - opened.length;
      return [
        ...told,
        ...opened.map((drift) =>
          openNew(
            { pair, kind: 'drift', subject: drift.item, drift },
            { atMs: nowMs, sentence: driftSentence(drift), details: {} },
          ),
        ),
      ];
    },
    recordVerdict(verdict) {
      const open = ledger.open(verdict.pair).find(({ kind }) => kind === 'behaviour');
      const facts = { atMs: verdict.atMs, sentence: verdict.sentence, details: { verdict } };
      if (open !== undefined) return changesOfBehaviour(open, verdict, ledger);
      if (verdict.status !== 'diverged' || ledger.openCount() >= INCIDENTS_OPEN_MAX) return [];
      return [openNew({ pair: verdict.pair, kind: 'behaviour', subject: BEHAVIOUR }, facts)];
    },
    recordPairs: (formed, atMs) =>
      ledger
        .list()
        .filter(({ pair, state }) => state === 'open' && !formed.has(pair))
        .map(({ id, pair }) => {
          const sentence = 'The two hosts are no longer a pair.';
          return { incident: id, atMs, change: 'closed', sentence, details: { pair } };
        }),
    commit(changes) {
      const mine = last.then(() => commit(changes));
      // Whoever asked for it hears of the failure; the next one starts afresh.
      last = mine.catch(() => undefined);
      return mine;
    },
    list: () => ledger.list(),
    get: (id) => ledger.get(id),
    records: (id) => ledger.records(id),
    decisions: (of) => ledger.decisions(of),
    suppressedCount: () => suppressedCount,
  };
}

interface Facts {
  readonly atMs: number;
  readonly sentence: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function roomLeft(ledger: Ledger, openOfPair: number): number {
  const ofPair = DRIFT_INCIDENTS_PER_PAIR_MAX - openOfPair;
  return Math.max(0, Math.min(ofPair, INCIDENTS_OPEN_MAX - ledger.openCount()));
}

function changesOfOpen(
  open: readonly Incident[],
  { drifts, unreadable, isCut }: ComparedItems,
  atMs: number,
): readonly IncidentChange[] {
  const present = new Map(drifts.map((drift) => [drift.item, drift]));
  return open.flatMap((incident): IncidentChange[] => {
    const { id, pair, kind, subject, drift: before } = incident;
    if (before === undefined) return [];
    const newest = present.get(before.item);
    if (newest === undefined) {
      if (isCut || unreadable.has(before.item)) return [];
      const sentence = driftGoneSentence(before);
      return [{ incident: id, atMs, change: 'closed', sentence, details: { pair } }];
    }
    const drift = continued(before, newest);
    if (isSameDrift(before, drift)) return [];
    const details = { pair, kind, subject, drift };
    return [{ incident: id, atMs, change: 'updated', sentence: driftSentence(drift), details }];
  });
}

/** While it stays diverged only another set of observables is news. */
function changesOfBehaviour(
  open: Incident,
  verdict: Verdict,
  ledger: Ledger,
): readonly IncidentChange[] {
  const { pair, atMs, sentence } = verdict;
  const change = { incident: open.id, atMs, sentence };
  if (verdict.status === 'aligned')
    return [{ ...change, change: 'closed', details: { pair, verdict } }];
  if (verdict.status !== 'diverged') return [];
  const told = ledger
    .records(open.id)
    .findLast((record) => record.change === 'opened' || record.change === 'updated');
  const before = told?.details['verdict'] as Verdict | undefined; // Written by recordVerdict alone.
  const isNews =
    before === undefined ||
    divergedObservables(before).join(' ') !== divergedObservables(verdict).join(' ');
  const details = { pair, kind: open.kind, subject: open.subject, verdict };
  return isNews ? [{ ...change, change: 'updated', details }] : [];
}
