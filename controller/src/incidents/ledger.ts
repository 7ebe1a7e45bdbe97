// In: records in order. Out: the incidents that they fold into, bounded in memory.
// Never: forgets an open incident; of the closed ones it keeps the newest, and the store keeps
// more.

import type {
  Decision,
  Drift,
  Incident,
  IncidentId,
  IncidentKind,
  IncidentRecord,
  PairId,
} from '@foreshadow/model';

/** Incidents in memory; closed ones beyond it are dropped, the oldest first. */
export const INCIDENTS_MAX = 10_000;
/** Records in memory for each incident: the first, and the newest of the others. */
export const RECORDS_PER_INCIDENT_MAX = 200;
/**
 * Newest decisions of each kind in memory for each subject of a pair, however much was recorded in
 * between: the policy counts them.
 */
export const DECISIONS_PER_KIND_MAX = 16;

/** What was decided about a subject of a pair, in this incident or in an earlier one. */
export interface PastDecision {
  readonly decision: Decision;
  readonly atMs: number;
}

/** What the details of an `opened` record hold, besides what is for readers only. */
export interface Opening {
  readonly pair: PairId;
  readonly kind: IncidentKind;
  readonly subject: string;
  readonly drift?: Drift;
}

interface Entry {
  incident: Incident;
  records: readonly IncidentRecord[];
}

/** What incidents in memory on one subject of a pair have in common. */
interface Subject {
  incidentCount: number;
  decisions: readonly PastDecision[];
}

export interface Ledger {
  /**
   * Adds one record; a record of an incident that is not in memory changes nothing but the
   * sequence.
   */
  add(record: IncidentRecord): void;
  /** Sequence number of the newest record; 0 before the first. */
  sequence(): number;
  open(pair: PairId): readonly Incident[];
  openCount(): number;
  list(): readonly Incident[];
  get(id: IncidentId): Incident | undefined;
  records(id: IncidentId): readonly IncidentRecord[];
  /** Oldest first; cost independent of the number of incidents. */
  decisions(of: Pick<Incident, 'pair' | 'subject'>): readonly PastDecision[];
}

export function createLedger(): Ledger {
  const entries = new Map<IncidentId, Entry>(); // In order of opening.
  const openByPair = new Map<PairId, Set<IncidentId>>();
  const subjects = new Map<string, Subject>();
  let newest = 0;
  let openCount = 0;

  const open = (record: IncidentRecord): void => {
    const opening = openingOf(record);
    const ids = openByPair.get(opening.pair) ?? new Set();
    openByPair.set(opening.pair, ids.add(record.incident));
    openCount += 1;
    const key = subjectKey(opening);
    const { incidentCount, decisions } = subjects.get(key) ?? { incidentCount: 0, decisions: [] };
    subjects.set(key, { incidentCount: incidentCount + 1, decisions });
    entries.set(record.incident, {
      incident: {
        id: record.incident,
        ...opening,
        state: 'open',
        openedMs: record.atMs,
        updatedMs: record.atMs,
        sentence: record.sentence,
      },
      records: [record],
    });
    if (entries.size > INCIDENTS_MAX) dropOldestClosed();
  };
  const dropOldestClosed = (): void => {
    for (const [id, { incident }] of entries) {
      if (incident.state === 'open') continue;
      entries.delete(id);
      const key = subjectKey(incident);
      const subject = subjects.get(key);
      if (subject !== undefined && (subject.incidentCount -= 1) === 0) subjects.delete(key);
      return;
    }
  };
  const extend = (entry: Entry, record: IncidentRecord): void => {
    const [first, ...others] = [...entry.records, record];
    const kept = others.slice(-(RECORDS_PER_INCIDENT_MAX - 1));
    entry.records = first === undefined ? kept : [first, ...kept];
    entry.incident = after(entry.incident, record);
    const subject = subjects.get(subjectKey(entry.incident));
    if (record.change === 'decided' && subject !== undefined)
      subject.decisions = withDecision(subject.decisions, record);
    if (record.change !== 'closed') return;
    const { pair, id } = entry.incident;
    const ids = openByPair.get(pair);
    if (ids?.delete(id) === true) openCount -= 1;
    if (ids?.size === 0) openByPair.delete(pair);
  };
  const get = (id: IncidentId): Incident | undefined => entries.get(id)?.incident;
  return {
    add(record) {
      newest = record.sequence;
      const entry = entries.get(record.incident);
      if (entry !== undefined) extend(entry, record);
      else if (record.change === 'opened') open(record);
    },
    sequence: () => newest,
    open: (pair) => [...(openByPair.get(pair) ?? [])].flatMap((id) => get(id) ?? []),
    openCount: () => openCount,
    list: () => [...entries.values()].map(({ incident }) => incident),
    get,
    records: (id) => entries.get(id)?.records ?? [],
    decisions: (of) => subjects.get(subjectKey(of))?.decisions ?? [],
  };
}

function subjectKey({ pair, subject }: Pick<Incident, 'pair' | 'subject'>): string {
  return `${pair} ${subject}`;
}

function withDecision(
  past: readonly PastDecision[],
  { details, atMs }: IncidentRecord,
): readonly PastDecision[] {
  const decision = details['decision'] as Decision; // As `decided` says.
  const isOfKind = (one: PastDecision): boolean => one.decision.kind === decision.kind;
  const oldest =
    past.filter(isOfKind).length < DECISIONS_PER_KIND_MAX ? undefined : past.find(isOfKind);
  return [...past.filter((one) => one !== oldest), { decision, atMs }];
}

function after(incident: Incident, record: IncidentRecord): Incident {
  const updated = { ...incident, updatedMs: record.atMs };
  if (record.change === 'closed') return { ...updated, state: 'closed', closedMs: record.atMs };
  if (record.change !== 'updated') return updated;
  const { drift } = openingOf(record);
  return { ...updated, sentence: record.sentence, ...(drift !== undefined && { drift }) };
}

function openingOf(record: IncidentRecord): Opening {
  // Written by this room alone.
  const { pair, kind, subject, drift } = record.details as unknown as Opening;
  return { pair, kind, subject, ...(drift !== undefined && { drift }) };
}
