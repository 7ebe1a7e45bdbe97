// In: nothing. Out: the vocabulary which all programs share: types, brands, catalogues, schemas.
// Never: does I/O, reads a clock, or imports another workspace.

export {
  BOOT_ID_PATTERN,
  HOST_ID_PATTERN,
  RECORD_ID_PATTERN,
  pairIdOf,
  parseBootId,
  parseCommandId,
  parseHostId,
  parseIncidentId,
} from './ids.ts';
export type { BootId, CommandId, HostId, IncidentId, PairId } from './ids.ts';
export type { FilesystemFacts, Host, Inventory } from './host.ts';
export { metricNameOf, metricNames, metrics } from './metrics.ts';
export type { MetricKind, MetricName, MetricSpec, MetricUnit, Reading } from './metrics.ts';
export { loadSignals, observableNames, observables, parseObservableName } from './observables.ts';
export type { ObservableName, ObservableSpec } from './observables.ts';
export { fingerprintSubjects, itemKey, parseItemKey } from './fingerprint.ts';
export type {
  FingerprintChange,
  FingerprintItem,
  FingerprintReport,
  FingerprintSubject,
  ItemKey,
  TrackedItem,
  UnreadableReason,
} from './fingerprint.ts';
export {
  BATCH_BYTES_MAX,
  CHANGES_PER_BATCH_MAX,
  EVENTS_PER_BATCH_MAX,
  READINGS_PER_BATCH_MAX,
} from './batch.ts';
export type { Batch, Gap, HostEvent, LowWaterMark, UnitReport } from './batch.ts';
export type { InstanceSeries, RawWindow } from './series.ts';
export { hostRoles } from './pair.ts';
export type { HostRecord, HostRole, Labels, Pair, Side } from './pair.ts';
export { verdictReasons, verdictStatuses } from './judgement.ts';
export type {
  Deviation,
  Finding,
  HostWindow,
  Limits,
  LoadComparison,
  NoiseFloor,
  PairDeviation,
  PairWindow,
  Verdict,
  VerdictReason,
  VerdictStatus,
} from './judgement.ts';
export type {
  Command,
  CommandRecord,
  Decision,
  Drift,
  Incident,
  IncidentKind,
  IncidentRecord,
  MarkKnownGoodOrder,
  Order,
  OrderKind,
  Outcome,
  RestoreOrder,
  UndoOrder,
} from './incident.ts';
export { eventFamilies } from './events.ts';
export type { CloudEvent, EventFamily, PairEvent } from './events.ts';
