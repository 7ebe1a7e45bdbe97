// In: the schemas of the model. Out: what REST asks and answers beyond the model's own types:
// requests, pages, problems.
// Never: is used inside the loop; rooms other than api, the client and the CLI do not see these
// shapes.

import { Type, type Static, type TInteger, type TSchema, type TUnsafe } from 'typebox';
import type { Deviation } from './judgement.ts';
import {
  cloudEventSchema,
  commandIdSchema,
  describing,
  fingerprintSubjectSchema,
  hostIdSchema,
  incidentIdSchema,
  incidentRecordSchema,
  incidentSchema,
  incidentStateSchema,
  loadComparisonSchema,
  metricNameSchema,
  noiseFloorSchema,
  observableNameSchema,
  pairIdSchema,
  pairSchema,
  restoreOrderSchema,
  undoOrderSchema,
  verdictSchema,
} from './schemas.ts';

export const PAGE_ITEMS_MAX = 1_000;
export const PAGE_ITEMS_DEFAULT = 200;
export const SERIES_POINTS_MAX = 10_000;
export const SERIES_POINTS_DEFAULT = 600;
export const EVENTS_WAIT_MS_MAX = 30_000;
export const REASON_LENGTH_MAX = 500;
export const CURSOR_LENGTH_MAX = 8_192;
export const INSTANCE_LENGTH_MAX = 256;

const closed = { additionalProperties: false };
const timeMs = Type.Integer({ description: 'Epoch milliseconds.' });
const count = Type.Integer({ minimum: 0 });

/** A page of a list; `nextCursor` is absent on the last one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

export function pageSchema<Item extends TSchema>(item: Item): TUnsafe<Page<Static<Item>>> {
  return Type.Unsafe<Page<Static<Item>>>(
    Type.Object({ items: Type.Array(item), nextCursor: Type.Optional(Type.String()) }, closed),
  );
}

/** A pair as REST shows it; `verdict` is absent until the first evaluation. */
export const pairStateSchema = Type.Object(
  { pair: pairSchema, verdict: Type.Optional(verdictSchema), driftCount: count },
  closed,
);
export type PairState = Static<typeof pairStateSchema>;

/** An incident with its ledger, oldest record first. */
export const incidentStorySchema = Type.Object(
  { incident: incidentSchema, records: Type.Array(incidentRecordSchema) },
  closed,
);
export type IncidentStory = Static<typeof incidentStorySchema>;

/** `values[i]` was reported at `timesMs[i]`, ascending; what was not reported is left out. */
export const seriesSchema = Type.Object(
  {
    host: hostIdSchema,
    metric: metricNameSchema,
    kind: Type.String(),
    unit: Type.String(),
    series: Type.Array(
      Type.Object(
        {
          instance: Type.Optional(Type.String()),
          timesMs: Type.Array(Type.Number()),
          values: Type.Array(Type.Number()),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type SeriesAnswer = Static<typeof seriesSchema>;

/** One observable of a pair; `values[i]` ended at `timesMs[i]`. */
interface DeviationHistory extends Omit<Deviation, 'history' | 'distance'> {
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
}
const deviationHistorySchema = describing<DeviationHistory>()(
  Type.Object(
    {
      observable: observableNameSchema,
      production: Type.Optional(Type.Number()),
      shadow: Type.Optional(Type.Number()),
      deviation: Type.Optional(Type.Number()),
      velocityPerMinute: Type.Optional(Type.Number()),
      velocityPeakPerMinute: Type.Optional(Type.Number()),
      trendPerMinute: Type.Optional(Type.Number()),
      trendLevel: Type.Optional(Type.Number()),
      trendSteadiness: Type.Optional(Type.Number()),
      excess: Type.Optional(Type.Number()),
      noise: Type.Optional(noiseFloorSchema),
      timesMs: Type.Array(Type.Number()),
      values: Type.Array(Type.Number()),
    },
    closed,
  ),
);

/**
 * How the deviation of a pair went over its window; cells without a value are left out of `timesMs`
 * and `values`.
 */
export const deviationAnswerSchema = Type.Object(
  {
    pair: pairIdSchema,
    stepMs: Type.Number(),
    newestMs: Type.Optional(Type.Number()),
    commonCount: count,
    load: loadComparisonSchema,
    deviations: Type.Array(deviationHistorySchema),
  },
  closed,
);
export type DeviationAnswer = Static<typeof deviationAnswerSchema>;

/** Health or readiness: every reason that it does not hold. */
export const conditionSchema = Type.Object(
  {
    isOk: Type.Boolean(),
    reasons: Type.Array(Type.Object({ code: Type.String(), sentence: Type.String() }, closed)),
  },
  closed,
);
export type Condition = Static<typeof conditionSchema>;

export const versionSchema = Type.Object(
  {
    version: Type.String(),
    commit: Type.Optional(Type.String()),
    node: Type.String(),
    startedMs: timeMs,
  },
  closed,
);
export type VersionAnswer = Static<typeof versionSchema>;

/**
 * Events after a sequence number. `newest` is 0 before the first event; `missedCount` are those no
 * longer kept.
 */
export const eventPageSchema = Type.Object(
  {
    items: Type.Array(Type.Object({ sequence: count, event: cloudEventSchema }, closed)),
    newest: count,
    missedCount: count,
  },
  closed,
);
export type EventPage = Static<typeof eventPageSchema>;
export type NumberedEvent = EventPage['items'][number];

/** RFC 9457. `code` is of the error catalogue; `errors` point into what was sent. */
export const problemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }, closed)),
    ),
    requestId: Type.String(),
  },
  closed,
);
export type Problem = Static<typeof problemSchema>;

export const hostParamsSchema = Type.Object({ id: hostIdSchema }, closed);
export const pairParamsSchema = Type.Object({ id: pairIdSchema }, closed);
export const incidentParamsSchema = Type.Object({ id: incidentIdSchema }, closed);
export const commandParamsSchema = Type.Object({ id: commandIdSchema }, closed);

function limit(): TInteger {
  return Type.Integer({ minimum: 1, maximum: PAGE_ITEMS_MAX, default: PAGE_ITEMS_DEFAULT });
}
const paging = {
  limit: limit(),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: CURSOR_LENGTH_MAX })),
};
export const noQuerySchema = Type.Object({}, closed);
export const pageQuerySchema = Type.Object(paging, closed);
export const fingerprintQuerySchema = Type.Object(
  { ...paging, subject: Type.Optional(fingerprintSubjectSchema) },
  closed,
);
export const incidentQuerySchema = Type.Object(
  { ...paging, state: Type.Optional(incidentStateSchema), pair: Type.Optional(pairIdSchema) },
  closed,
);
/** Without `startMs` and `endMs`: the last ten minutes. */
export const seriesQuerySchema = Type.Object(
  {
    metric: metricNameSchema,
    instance: Type.Optional(Type.String({ maxLength: INSTANCE_LENGTH_MAX })),
    startMs: Type.Optional(timeMs),
    endMs: Type.Optional(timeMs),
    pointsMax: Type.Integer({
      minimum: 2,
      maximum: SERIES_POINTS_MAX,
      default: SERIES_POINTS_DEFAULT,
    }),
  },
  closed,
);
/**
 * `after` is the sequence number of the last event that the caller has; with `waitMs` the answer
 * waits for the next one.
 */
export const eventQuerySchema = Type.Object(
  {
    after: Type.Integer({ minimum: 0, default: 0 }),
    limit: limit(),
    waitMs: Type.Integer({ minimum: 0, maximum: EVENTS_WAIT_MS_MAX, default: 0 }),
  },
  closed,
);

const reason = Type.String({
  minLength: 1,
  maxLength: REASON_LENGTH_MAX,
  pattern: '\\S',
  description: 'Why, for the ledger.',
});
const requestedBy = Type.String({ minLength: 1, maxLength: 64, default: 'rest' });
export const knownGoodBodySchema = Type.Object({ reason, requestedBy }, closed);
export const commandBodySchema = Type.Object(
  {
    host: hostIdSchema,
    order: Type.Union([restoreOrderSchema, undoOrderSchema]),
    isDryRun: Type.Boolean({ default: false }),
    reason,
    requestedBy,
  },
  closed,
);
export type KnownGoodBody = Static<typeof knownGoodBodySchema>;
export type CommandBody = Static<typeof commandBodySchema>;
