// In: an incident and one record of its ledger. Out: the events by which others hear of it.
// Never: invents anything that the ledger does not say.

import type { Incident, IncidentRecord, PairEvent } from '@foreshadow/model';

const driftWords: Partial<Record<IncidentRecord['change'], string>> = {
  opened: 'appeared',
  updated: 'changed',
  closed: 'gone',
};

/** The incident's own event, and before it, for drift, the difference itself. */
export function incidentEvents(incident: Incident, record: IncidentRecord): readonly PairEvent[] {
  const { pair, drift } = incident;
  const { atMs, change } = record;
  const told: PairEvent = {
    family: 'incident',
    what: change,
    pair,
    atMs,
    data: { incident, record },
  };
  const what = driftWords[change];
  if (drift === undefined || what === undefined) return [told];
  return [{ family: 'drift', what, pair, atMs, data: drift }, told];
}
