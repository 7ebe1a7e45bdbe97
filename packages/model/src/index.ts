// In: nothing. Out: the vocabulary which all programs share: types, brands, catalogues, schemas.
// Never: does I/O, reads a clock, or imports another workspace.

export {
  BOOT_ID_PATTERN,
  HOST_ID_PATTERN,
  PAIR_ID_PATTERN,
  RECORD_ID_PATTERN,
  pairIdOf,
  parseBootId,
  parseCommandId,
  parseHostId,
  parseIncidentId,
  parsePairId,
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
  SNAPSHOT_PARTS_MAX,
} from './batch.ts';
export type {
  AcceptedBatch,
  Batch,
  BootCoverage,
  Gap,
  HostCoverage,
  HostEvent,
  LowWaterMark,
  SequenceRange,
  UnitReport,
} from './batch.ts';
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
export {
  bootIdSchema,
  cloudEventSchema,
  commandIdSchema,
  commandRecordSchema,
  commandSchema,
  driftSchema,
  findingSchema,
  fingerprintSubjectSchema,
  hostIdSchema,
  hostRecordSchema,
  incidentIdSchema,
  incidentRecordSchema,
  incidentSchema,
  incidentStateSchema,
  loadComparisonSchema,
  markKnownGoodOrderSchema,
  metricNameSchema,
  noiseFloorSchema,
  observableNameSchema,
  orderSchema,
  outcomeSchema,
  pairIdSchema,
  pairSchema,
  restoreOrderSchema,
  trackedItemSchema,
  undoOrderSchema,
  verdictSchema,
} from './schemas.ts';
export {
  CURSOR_LENGTH_MAX,
  EVENTS_WAIT_MS_MAX,
  INSTANCE_LENGTH_MAX,
  PAGE_ITEMS_DEFAULT,
  PAGE_ITEMS_MAX,
  REASON_LENGTH_MAX,
  SERIES_POINTS_DEFAULT,
  SERIES_POINTS_MAX,
  commandBodySchema,
  commandParamsSchema,
  conditionSchema,
  deviationAnswerSchema,
  eventPageSchema,
  eventQuerySchema,
  fingerprintQuerySchema,
  hostParamsSchema,
  incidentParamsSchema,
  incidentQuerySchema,
  incidentStorySchema,
  knownGoodBodySchema,
  noQuerySchema,
  pageQuerySchema,
  pageSchema,
  pairParamsSchema,
  pairStateSchema,
  problemSchema,
  seriesQuerySchema,
  seriesSchema,
  versionSchema,
} from './rest.ts';
export type {
  CommandBody,
  Condition,
  DeviationAnswer,
  EventPage,
  IncidentStory,
  KnownGoodBody,
  NumberedEvent,
  Page,
  PairState,
  Problem,
  SeriesAnswer,
  VersionAnswer,
} from './rest.ts';
export type { Static, TSchema } from 'typebox';
export { VERSION } from './version.ts';
