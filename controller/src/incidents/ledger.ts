// In: records in order. Out: the incidents that they fold into, bounded in memory.
// Never: forgets an open incident; of the closed ones it keeps the newest, and the store keeps all.

import type {
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
}

export function createLedger(): Ledger {
  const entries = new Map<IncidentId, Entry>(); // In order of opening.
  const openByPair = new Map<PairId, Set<IncidentId>>();
  let newest = 0;
  let openCount = 0;

  const open = (record: IncidentRecord): void => {
    const opening = openingOf(record);
    const ids = openByPair.get(opening.pair) ?? new Set();
    openByPair.set(opening.pair, ids.add(record.incident));
    openCount += 1;
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
    if (entries.size > INCIDENTS_MAX) dropOldestClosed(entries);
  };
  const extend = (entry: Entry, record: IncidentRecord): void => {
    const [first, ...others] = [...entry.records, record];
    const kept = others.slice(-(RECORDS_PER_INCIDENT_MAX - 1));
    entry.records = first === undefined ? kept : [first, ...kept];
    entry.incident = after(entry.incident, record);
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
  };
}

function dropOldestClosed(entries: Map<IncidentId, Entry>): void {
  for (const [id, { incident }] of entries) {
    if (incident.state === 'open') continue;
    entries.delete(id);
    return;
  }
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
