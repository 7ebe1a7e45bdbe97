// In: drifts, verdicts, decisions and outcomes. Out: append-only records, and the incidents that
// they fold into.
// Never: shows a record before it is durable, changes one, or decides what to do.

export {
  DRIFT_INCIDENTS_PER_PAIR_MAX,
  INCIDENTS_OPEN_MAX,
  createIncidents,
  type ComparedItems,
  type Incidents,
  type PastDecision,
} from './incidents.ts';
export { INCIDENTS_MAX, RECORDS_PER_INCIDENT_MAX } from './ledger.ts';
export type { IncidentChange } from './change.ts';
