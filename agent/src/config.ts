// In: a YAML file and the environment. Out: the agent's configuration, complete and checked.
// Never: reads anything itself but what it is given. docs/reference/configuration.md has all keys.

import {
  Array as ListSchema,
  Boolean as BooleanSchema,
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
import { HOST_ID_PATTERN, fingerprintSubjects, hostRoles } from '@foreshadow/model';
import { logLevels, parseConfig, type ConfigSource } from '@foreshadow/runtime';

const closed = { additionalProperties: false } as const;
const path = { minLength: 1, maxLength: 4_096, pattern: '^/' } as const;
const text = (description: string): { maxLength: number; description: string } => ({
  maxLength: 256,
  description,
});

const scope = ObjectSchema(
  {
    kind: Union([Literal('host'), Literal('process')], {
      default: 'host',
      description: 'What is measured: the whole host, or a process tree.',
    }),
    pidFile: Optional(
      StringSchema({
        ...path,
        description: 'File with the process id of the tree; for kind process.',
      }),
    ),
    cpuCapacityCores: Optional(
      NumberSchema({
        exclusiveMinimum: 0,
        maximum: 4_096,
        description: 'CPUs that the scope may use; those of the host by default.',
      }),
    ),
    memoryCapacityBytes: Optional(
      Integer({
        minimum: 1,
        description: 'Memory that the scope may use; that of the host by default.',
      }),
    ),
  },
  { ...closed, default: { kind: 'host' } },
);

const fingerprints = ObjectSchema(
  {
    keyFile: StringSchema({
      ...path,
      default: '/etc/foreshadow/fingerprint.key',
      description:
        'The fleet-wide fingerprint key: at least 32 hexadecimal digits; the same on every host.',
    }),
    subjects: ListSchema(Union(fingerprintSubjects.map((subject) => Literal(subject))), {
      default: [...fingerprintSubjects],
      description: 'What is fingerprinted.',
    }),
    roots: Optional(
      ListSchema(
        ObjectSchema(
          {
            path: StringSchema({ ...path, description: 'Folder or file on this host.' }),
            as: Optional(
              StringSchema({
                ...path,
                description: 'Logical name, equal on comparable hosts; the path itself by default.',
              }),
            ),
          },
          closed,
        ),
        {
          maxItems: 64,
          description: 'Files; the built-in list by default (foreshadow-agent --print-defaults).',
        },
      ),
    ),
    exclude: ListSchema(StringSchema({ maxLength: 1_024 }), {
      maxItems: 512,
      default: [],
      description: 'Glob patterns of logical paths, beside the built-in ones.',
    }),
    useDefaultExclusions: BooleanSchema({
      default: true,
      description: 'Whether the built-in exclusions hold.',
    }),
    rescanSeconds: Integer({
      minimum: 1,
      maximum: 86_400,
      default: 60,
      description: 'Between two looks at every file’s size and times.',
    }),
    rehashHours: Integer({
      minimum: 1,
      maximum: 720,
      default: 12,
      description: 'Between two full readings of every file.',
    }),
  },
  { ...closed, default: {} },
);

export const agentConfigSchema = ObjectSchema(
  {
    host: StringSchema({
      pattern: HOST_ID_PATTERN,
      description: 'Name of this host: lower-case letters, digits and hyphens.',
    }),
    role: Union(
      hostRoles.map((role) => Literal(role)),
      { description: 'production or shadow.' },
    ),
    labels: RecordSchema(
      StringSchema({ pattern: '^[a-z][a-z0-9-]{0,31}$' }),
      StringSchema({ maxLength: 128 }),
      { default: {}, description: 'For pairing rules and limits.' },
    ),
    stateFolder: StringSchema({
      ...path,
      default: '/var/lib/foreshadow/agent',
      description: 'Where the spool lies.',
    }),
    controller: ObjectSchema(
      {
        address: StringSchema({
          ...text('host:port of the controller’s gRPC listener.'),
          default: '127.0.0.1:7471',
        }),
      },
      { ...closed, default: {} },
    ),
    broker: ObjectSchema(
      {
        servers: ListSchema(StringSchema({ pattern: '^nats://', maxLength: 256 }), {
          minItems: 1,
          maxItems: 16,
          default: ['nats://127.0.0.1:7472'],
          description: 'NATS servers.',
        }),
      },
      { ...closed, default: {} },
    ),
    sampling: ObjectSchema(
      {
        intervalMs: Integer({
          minimum: 100,
          maximum: 3_600_000,
          default: 10_000,
          description: 'Between two samples.',
        }),
      },
      { ...closed, default: {} },
    ),
    scope,
    fingerprints,
    actuator: ObjectSchema(
      {
        socket: StringSchema({
          ...path,
          default: '/run/foreshadow/actuator.sock',
          description: 'Unix socket of the actuator.',
        }),
      },
      { ...closed, default: {} },
    ),
    spool: ObjectSchema(
      {
        bytesMax: Integer({
          minimum: 4 * 1024 * 1024,
          maximum: 16 * 1024 ** 3,
          default: 64 * 1024 * 1024,
          description: 'Disk that batches may take which the controller does not hold yet.',
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

export type AgentConfig = Static<typeof agentConfigSchema>;

/** @throws CodedError CONFIG_INVALID naming every mistake */
export function parseAgentConfig(options: {
  readonly source?: ConfigSource;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): AgentConfig {
  const environment = { prefix: 'FORESHADOW_AGENT', variables: options.environment };
  return parseConfig(agentConfigSchema, { ...options, environment });
}
