// In: YAML files and the environment. Out: the controller's configuration, complete and checked.
// Never: reads anything itself but what it is given. docs/reference/configuration.md has all keys.

import {
  Array as ListSchema,
  Integer,
  Literal,
  Number as NumberSchema,
  Object as ObjectSchema,
  Optional,
  Record as RecordSchema,
  String as StringSchema,
  Union,
  type Static,
} from 'typebox';
import { HOST_ID_PATTERN, observableNames } from '@foreshadow/model';
import { logLevels, parseConfig, requireLoopback, type ConfigSource } from '@foreshadow/runtime';
import { policyRulesSchema, type PolicyRules } from './policy/index.ts';

const closed = { additionalProperties: false } as const;
const path = { minLength: 1, maxLength: 4_096, pattern: '^/' } as const;
const hostId = (description: string): ReturnType<typeof StringSchema> =>
  StringSchema({ pattern: HOST_ID_PATTERN, description });
const labelName = StringSchema({ pattern: '^[a-z][a-z0-9-]{0,31}$' });

// oxlint-disable-next-line typescript/explicit-function-return-type -- the schema is the type
function listenSchema(port: number, what: string) {
  return ObjectSchema(
    {
      host: StringSchema({
        default: '127.0.0.1',
        maxLength: 256,
        description: `Loopback address of the ${what}.`,
      }),
      port: Integer({
        minimum: 0,
        maximum: 65_535,
        default: port,
        description: `Port of the ${what}; 0 for any free one.`,
      }),
    },
    { ...closed, default: {} },
  );
}

const limits = ObjectSchema(
  Object.fromEntries(
    observableNames.map((name) => [
      name,
      Optional(
        ObjectSchema(
          {
            deviation: Optional(
              NumberSchema({
                exclusiveMinimum: 0,
                maximum: 100,
                description: 'Ratio, such as 0.10.',
              }),
            ),
            velocityPerMinute: Optional(
              NumberSchema({ exclusiveMinimum: 0, maximum: 100, description: 'Ratio per minute.' }),
            ),
            floor: Optional(
              NumberSchema({
                minimum: 0,
                description:
                  'Absolute difference below which nothing is a breach, in the observable’s unit.',
              }),
            ),
          },
          closed,
        ),
      ),
    ]),
  ),
  { ...closed, default: {} },
);

export const controllerConfigSchema = ObjectSchema(
  {
    stateFolder: StringSchema({
      ...path,
      default: '/var/lib/foreshadow/controller',
      description: 'Where the store and the broker’s files lie.',
    }),
    api: listenSchema(7470, 'REST listener'),
    control: listenSchema(7471, 'gRPC listener which agents dial'),
    broker: ObjectSchema(
      {
        url: Optional(
          StringSchema({
            pattern: '^nats://',
            maxLength: 256,
            description:
              'A nats-server that runs already; without it the controller starts its own.',
          }),
        ),
        binary: Optional(
          StringSchema({
            ...path,
            description: 'The nats-server to start; searched in the usual places by default.',
          }),
        ),
        host: StringSchema({
          default: '127.0.0.1',
          maxLength: 256,
          description: 'Loopback address of our own nats-server.',
        }),
        port: Integer({
          minimum: 1,
          maximum: 65_535,
          default: 7472,
          description: 'Port of our own nats-server.',
        }),
      },
      { ...closed, default: {} },
    ),
    pairs: ListSchema(
      ObjectSchema(
        { production: hostId('Production host.'), shadow: hostId('Shadow host.') },
        closed,
      ),
      { maxItems: 10_000, default: [], description: 'Explicit pairs.' },
    ),
    pairingRules: ListSchema(
      ObjectSchema(
        {
          name: StringSchema({
            minLength: 1,
            maxLength: 64,
            description: 'Shown as the origin of its pairs.',
          }),
          labels: ListSchema(labelName, {
            minItems: 1,
            maxItems: 8,
            description: 'Hosts with equal values of all these labels are paired.',
          }),
        },
        closed,
      ),
      { maxItems: 100, default: [], description: 'Pairs by labels.' },
    ),
    judging: ObjectSchema(
      {
        intervalMs: Integer({
          minimum: 100,
          maximum: 3_600_000,
          default: 10_000,
          description: 'Between two evaluations.',
        }),
        limits,
        labelLimits: ListSchema(
          ObjectSchema(
            {
              name: StringSchema({ minLength: 1, maxLength: 64, description: 'For people.' }),
              match: RecordSchema(labelName, StringSchema({ maxLength: 128 }), {
                description: 'Labels, all with these values.',
              }),
              limits,
            },
            closed,
          ),
          {
            maxItems: 100,
            default: [],
            description:
              'Limits of pairs whose production host has these labels; they go over the defaults.',
          },
        ),
        pairLimits: ListSchema(
          ObjectSchema(
            { production: hostId('Production host.'), shadow: hostId('Shadow host.'), limits },
            closed,
          ),
          {
            maxItems: 10_000,
            default: [],
            description: 'Limits of one pair; they go over labels and defaults.',
          },
        ),
      },
      { ...closed, default: {} },
    ),
    policy: ObjectSchema(
      {
        file: Optional(
          StringSchema({ ...path, description: 'Rules file; the built-in rules without one.' }),
        ),
      },
      { ...closed, default: {} },
    ),
    store: ObjectSchema(
      {
        retentionHours: Integer({
          minimum: 1,
          maximum: 8_760,
          default: 24,
          description: 'How long samples are kept.',
        }),
      },
      { ...closed, default: {} },
    ),
    log: ObjectSchema(
      {
        level: Union(
          logLevels.map((level) => Literal(level)),
          { default: 'info', description: 'Least severe line that is written.' },
        ),
      },
      { ...closed, default: {} },
    ),
  },
  closed,
);

export type ControllerConfig = Static<typeof controllerConfigSchema>;

interface Sources {
  readonly source?: ConfigSource;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws CodedError CONFIG_INVALID naming every mistake, NOT_LOOPBACK */
export function parseControllerConfig(options: Sources): ControllerConfig {
  const environment = { prefix: 'FORESHADOW_CONTROLLER', variables: options.environment };
  const config = parseConfig(controllerConfigSchema, { ...options, environment });
  const { api, control, broker } = config;
  requireLoopback('api.host', api.host);
  requireLoopback('control.host', control.host);
  requireLoopback('broker.host', broker.host);
  if (broker.url !== undefined) requireLoopback('broker.url', new URL(broker.url).hostname);
  return config;
}

/** @throws CodedError CONFIG_INVALID naming every mistake */
export function parsePolicyRules(source: ConfigSource): PolicyRules {
  return parseConfig(policyRulesSchema, { source });
}
