// In: drifts, verdicts, decisions and outcomes. Out: append-only records, and the incidents that
// they fold into.
// Never: shows a record before it is durable, changes one, or decides what to do.

export {
  DRIFT_INCIDENTS_PER_PAIR_MAX,
  INCIDENTS_OPEN_MAX,
  createIncidents,
  type ComparedItems,
  type Incidents,
} from './incidents.ts';
export {
  DECISIONS_PER_KIND_MAX,
  INCIDENTS_MAX,
  RECORDS_PER_INCIDENT_MAX,
  type PastDecision,
} from './ledger.ts';
export type { IncidentChange } from './change.ts';
