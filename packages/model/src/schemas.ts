// In: the model's interfaces. Out: the TypeBox schema of each one that leaves through REST.
// Never: drifts from its interface: a schema that differs from it does not compile.

import { Type, type Static, type TSchema, type TUnsafe } from 'typebox';
import { fingerprintSubjects, type FingerprintItem, type TrackedItem } from './fingerprint.ts';
import { BOOT_ID_PATTERN, HOST_ID_PATTERN, PAIR_ID_PATTERN, RECORD_ID_PATTERN } from './ids.ts';
import type { BootId, CommandId, HostId, IncidentId, PairId } from './ids.ts';
import type { Command, CommandRecord, Drift, Incident, IncidentRecord } from './incident.ts';
import type { MarkKnownGoodOrder, Order, Outcome, RestoreOrder, UndoOrder } from './incident.ts';
import { verdictReasons, verdictStatuses } from './judgement.ts';
import type { Finding, Limits, LoadComparison, NoiseFloor, Verdict } from './judgement.ts';
import { metricNames } from './metrics.ts';
import { observableNames } from './observables.ts';
import { hostRoles, type HostRecord, type Pair } from './pair.ts';
import type { CloudEvent } from './events.ts';

type Leaf = string | number | boolean | undefined;
type Writable<Value> = Value extends Leaf
  ? Value
  : { -readonly [Key in keyof Value]: Writable<Value[Key]> };
// Identity, not assignability: an optional property that only one side has makes a difference.
// oxlint-disable typescript/no-unnecessary-type-parameters -- the probe compares two types without
// naming one.
type Same<Left, Right> =
  (<Probe>() => Probe extends Writable<Left> ? 1 : 2) extends <
    Probe,
  >() => Probe extends Writable<Right> ? 1 : 2
    ? true
    : false;

// oxlint-enable typescript/no-unnecessary-type-parameters

/**
 * Takes only a schema whose static type is `Declared`, and gives it that very type: readonly, with
 * its brands.
 */
export function describing<Declared>(): <Schema extends TSchema>(
  schema: Schema & (Same<Static<Schema>, Declared> extends true ? unknown : never),
) => TUnsafe<Declared> {
  return (schema) => Type.Unsafe<Declared>(schema);
}

const closed = { additionalProperties: false };
const text = Type.String();
const number = Type.Number();
const timeMs = Type.Integer({ description: 'Epoch milliseconds.' });
const count = Type.Integer({ minimum: 0 });
const facts = Type.Record(Type.String(), Type.String());

function oneOf<const Values extends readonly string[]>(values: Values): TUnsafe<Values[number]> {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values] });
}

// The pattern is the parser: what passes it is an identifier, hence the brands.
export const hostIdSchema = Type.Unsafe<HostId>(Type.String({ pattern: HOST_ID_PATTERN }));
export const pairIdSchema = Type.Unsafe<PairId>(Type.String({ pattern: PAIR_ID_PATTERN }));
export const bootIdSchema = Type.Unsafe<BootId>(Type.String({ pattern: BOOT_ID_PATTERN }));
export const incidentIdSchema = Type.Unsafe<IncidentId>(
  Type.String({ pattern: RECORD_ID_PATTERN }),
);
export const commandIdSchema = Type.Unsafe<CommandId>(Type.String({ pattern: RECORD_ID_PATTERN }));
export const metricNameSchema = oneOf(metricNames);
export const observableNameSchema = oneOf(observableNames);
export const fingerprintSubjectSchema = oneOf(fingerprintSubjects);
const roleSchema = oneOf(hostRoles);

export const hostRecordSchema = describing<HostRecord>()(
  Type.Object(
    {
      id: hostIdSchema,
      role: roleSchema,
      labels: facts,
      scope: text,
      agentVersion: text,
      firstSeenMs: timeMs,
      lastSeenMs: timeMs,
      isConnected: Type.Boolean(),
      inventory: facts,
    },
    closed,
  ),
);

export const pairSchema = describing<Pair>()(
  Type.Object(
    { id: pairIdSchema, production: hostIdSchema, shadow: hostIdSchema, origin: text },
    closed,
  ),
);

const loadSides = { signal: observableNameSchema, production: number, shadow: number };
export const loadComparisonSchema = describing<LoadComparison>()(
  Type.Union([
    Type.Object({ kind: Type.Literal('comparable'), ...loadSides }, closed),
    Type.Object({ kind: Type.Literal('not-comparable'), ...loadSides }, closed),
    Type.Object({ kind: Type.Literal('unknown') }, closed),
  ]),
);

export const noiseFloorSchema = describing<NoiseFloor>()(
  Type.Object({ center: number, spread: number, n: count }, closed),
);

const limitsSchema = describing<Limits>()(
  Type.Object({ deviation: number, velocityPerMinute: number, floor: number }, closed),
);

export const findingSchema = describing<Finding>()(
  Type.Object(
    {
      observable: observableNameSchema,
      status: oneOf(verdictStatuses),
      reason: oneOf(verdictReasons),
      production: Type.Optional(number),
      shadow: Type.Optional(number),
      deviation: Type.Optional(number),
      velocityPerMinute: Type.Optional(number),
      trendPerMinute: Type.Optional(number),
      timeToLimitMs: Type.Optional(number),
      excess: Type.Optional(number),
      noise: Type.Optional(noiseFloorSchema),
      limits: Type.Optional(limitsSchema),
      breachCount: count,
      evaluationCount: count,
      ruleFired: Type.Boolean(),
    },
    closed,
  ),
);

export const verdictSchema = describing<Verdict>()(
  Type.Object(
    {
      pair: pairIdSchema,
      atMs: timeMs,
      status: oneOf(verdictStatuses),
      reason: oneOf(verdictReasons),
      sentence: text,
      commonCount: count,
      load: loadComparisonSchema,
      findings: Type.Array(findingSchema),
    },
    closed,
  ),
);

const fingerprintItemSchema = describing<FingerprintItem>()(
  Type.Object(
    {
      subject: fingerprintSubjectSchema,
      name: text,
      digest: text,
      facts,
      modifiedAtMs: Type.Optional(number),
    },
    closed,
  ),
);

export const trackedItemSchema = describing<TrackedItem>()(
  Type.Object(
    {
      key: text,
      item: Type.Optional(fingerprintItemSchema),
      unreadable: Type.Optional(
        oneOf(['permission', 'too-large', 'not-a-file', 'vanished', 'io-error']),
      ),
      firstSeenMs: timeMs,
      changedMs: timeMs,
      previousDigest: Type.Optional(text),
    },
    closed,
  ),
);

export const driftSchema = describing<Drift>()(
  Type.Object(
    {
      pair: pairIdSchema,
      item: text,
      subject: fingerprintSubjectSchema,
      name: text,
      difference: oneOf(['differs', 'missing-on-production', 'missing-on-shadow']),
      changedSide: Type.Optional(roleSchema),
      productionDigest: Type.Optional(text),
      shadowDigest: Type.Optional(text),
      productionFacts: Type.Optional(facts),
      shadowFacts: Type.Optional(facts),
      sinceMs: timeMs,
    },
    closed,
  ),
);

export const incidentStateSchema = oneOf(['open', 'closed']);
export const incidentSchema = describing<Incident>()(
  Type.Object(
    {
      id: incidentIdSchema,
      pair: pairIdSchema,
      kind: oneOf(['drift', 'behaviour']),
      subject: text,
      state: incidentStateSchema,
      openedMs: timeMs,
      updatedMs: timeMs,
      closedMs: Type.Optional(timeMs),
      sentence: text,
      drift: Type.Optional(driftSchema),
    },
    closed,
  ),
);

export const incidentRecordSchema = describing<IncidentRecord>()(
  Type.Object(
    {
      sequence: count,
      incident: incidentIdSchema,
      atMs: timeMs,
      change: oneOf(['opened', 'updated', 'decided', 'commanded', 'outcome', 'closed']),
      sentence: text,
      details: Type.Record(Type.String(), Type.Unknown()),
    },
    closed,
  ),
);

const digest = Type.String({ pattern: '^[0-9a-f]{32}$' });
const itemKeySchema = Type.String({ minLength: 3, maxLength: 4_096 });
export const restoreOrderSchema = describing<RestoreOrder>()(
  Type.Object(
    {
      kind: Type.Literal('restore'),
      item: itemKeySchema,
      expectedDigest: digest,
      targetDigest: digest,
    },
    closed,
  ),
);
export const markKnownGoodOrderSchema = describing<MarkKnownGoodOrder>()(
  Type.Object({ kind: Type.Literal('mark-known-good') }, closed),
);
export const undoOrderSchema = describing<UndoOrder>()(
  Type.Object({ kind: Type.Literal('undo'), command: commandIdSchema }, closed),
);
export const orderSchema = describing<Order>()(
  Type.Union([restoreOrderSchema, markKnownGoodOrderSchema, undoOrderSchema]),
);

export const commandSchema = describing<Command>()(
  Type.Object(
    {
      id: commandIdSchema,
      host: hostIdSchema,
      order: orderSchema,
      isDryRun: Type.Boolean(),
      requestedBy: text,
      reason: text,
      timeLimitMs: count,
      incident: Type.Optional(incidentIdSchema),
    },
    closed,
  ),
);

const explained = { code: text, sentence: text };
export const outcomeSchema = describing<Outcome>()(
  Type.Union([
    Type.Object(
      { kind: Type.Literal('done'), tookMs: number, sentence: text, details: facts },
      closed,
    ),
    Type.Object({ kind: Type.Literal('refused'), ...explained }, closed),
    Type.Object({ kind: Type.Literal('failed'), ...explained }, closed),
    Type.Object({ kind: Type.Literal('unknown'), sentence: text }, closed),
  ]),
);

export const commandRecordSchema = describing<CommandRecord>()(
  Type.Object(
    {
      command: commandSchema,
      state: oneOf(['sent', 'received', 'ended']),
      sentMs: timeMs,
      receivedMs: Type.Optional(timeMs),
      endedMs: Type.Optional(timeMs),
      outcome: Type.Optional(outcomeSchema),
      idempotencyKey: Type.Optional(text),
    },
    closed,
  ),
);

export const cloudEventSchema = describing<CloudEvent>()(
  Type.Object(
    {
      specversion: Type.Literal('1.0'),
      id: text,
      source: text,
      type: text,
      subject: text,
      time: text,
      datacontenttype: Type.Literal('application/json'),
      data: Type.Unknown(),
    },
    closed,
  ),
);
