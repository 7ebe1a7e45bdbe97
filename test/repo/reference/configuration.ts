// In: the schemas of all configuration files. Out: docs/reference/configuration.md.
// Never: says what a schema does not say; a key without a description is an error here.

import { strict as assert } from 'node:assert';
import { agentConfigSchema } from '@foreshadow/agent/config.ts';
import {
  RESTORE_BYTES_DEFAULT,
  RESTORE_BYTES_MAX,
  RESTORE_PATHS_MAX,
  parseHostPolicy,
} from '@foreshadow/agent/actuator/host-policy.ts';
import { controllerConfigSchema } from '@foreshadow/controller/config.ts';
import { defaultRules, policyRulesSchema } from '@foreshadow/controller/policy/index.ts';
import { defaultLimits } from '@foreshadow/controller/verdict/index.ts';
import { observables } from '@foreshadow/model';
import { NOTHING, code, table } from './table.ts';

/** The keywords of our schemas, as `packages/runtime/src/check.ts` knows them. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly description?: string;
}

interface Place {
  /** `spool.bytesMax`, `roots[].path`. */
  readonly key: string;
  /** Absent within lists, which only a file can set. */
  readonly variable: string | undefined;
  readonly isRequired: boolean;
}

const head = ['key', 'type', 'default', 'bounds', 'meaning'];
const headWithVariable = [...head, 'variable'];

function rowsOf(schema: Schema, place: Place): readonly (readonly string[])[] {
  const { properties, items } = schema;
  if (properties !== undefined) return rowsOfObject(schema, place);
  const isListOfObjects = items?.properties !== undefined;
  const meaning = schema.description;
  assert.ok(meaning !== undefined, `${place.key} has no description in its schema`);
  const isScalar = schema.type !== 'array' && schema.type !== 'object';
  const own = [
    code(place.key),
    typeOf(schema),
    defaultOf(schema, place),
    boundsOf(schema),
    meaning,
    isScalar && place.variable !== undefined ? code(place.variable) : NOTHING,
  ];
  const inner = { key: `${place.key}[]`, variable: undefined, isRequired: true };
  return isListOfObjects ? [own, ...rowsOf(items, inner)] : [own];
}

function rowsOfObject(schema: Schema, place: Place): readonly (readonly string[])[] {
  return commonProperties(schema).flatMap(([name, property]) => {
    const dot = place.key === '' ? '' : '.';
    const word = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
    return rowsOf(property, {
      key: place.key + dot + name,
      variable: place.variable === undefined ? undefined : `${place.variable}_${word}`,
      isRequired: schema.required?.includes(name) ?? false,
    });
  });
}

/** Keys that are observables and take the same are one row. */
function commonProperties(schema: Schema): readonly (readonly [string, Schema])[] {
  const entries = Object.entries(schema.properties ?? {});
  const [first] = entries;
  const isByObservable = entries.length > 1 && entries.every(([name]) => name in observables);
  return isByObservable && first !== undefined ? [['<observable>', first[1]]] : entries;
}

function typeOf(schema: Schema): string {
  const values = schema.enum ?? schema.anyOf?.map((one) => one.const);
  if (values !== undefined) return values.map((value) => code(String(value))).join(' or ');
  if (schema.type === 'array')
    return schema.items?.properties === undefined
      ? `list of ${typeOf(schema.items ?? {})}`
      : 'list of objects';
  if (schema.type === 'object') return 'names with strings';
  return schema.type ?? 'any';
}

function defaultOf(schema: Schema, place: Place): string {
  if (schema.default !== undefined) return code(JSON.stringify(schema.default));
  return place.isRequired ? '**required**' : NOTHING;
}

function boundsOf(schema: Schema): string {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems } = schema;
  const [names] = Object.keys(schema.patternProperties ?? {});
  const inner = schema.type === 'array' && schema.items?.properties === undefined;
  const words = [
    exclusiveMinimum === undefined ? '' : `more than ${exclusiveMinimum}`,
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' characters'),
    range(minItems, maxItems, ' entries'),
    schema.pattern === undefined ? '' : code(schema.pattern),
    names === undefined ? '' : `names ${code(names)}`,
    inner && schema.items !== undefined ? `each ${boundsOf(schema.items)}` : '',
  ].filter((word) => word !== '' && word !== `each ${NOTHING}`);
  return words.length === 0 ? NOTHING : words.join(', ');
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined && most === undefined) return '';
  if (least === undefined) return `at most ${most}${unit}`;
  return most === undefined ? `at least ${least}${unit}` : `${least} to ${most}${unit}`;
}

function section(schema: object, prefix: string | undefined): readonly string[] {
  const rows = rowsOf(schema, { key: '', variable: prefix, isRequired: true });
  return prefix === undefined
    ? table(
        head,
        rows.map((row) => row.slice(0, head.length)),
      )
    : table(headWithVariable, rows);
}

const hostPolicyRows = [
  ['role', '`production` or `shadow`', '**required**', NOTHING, 'Role of this host.'],
  ['socket', 'path', '**required**', NOTHING, 'Unix socket of the actuator; its folder is 0700.'],
  ['state', 'path', '**required**', NOTHING, 'Folder of ledger and kept versions.'],
  [
    'fingerprintKeyFile',
    'path',
    '**required**',
    NOTHING,
    'The fleet-wide key, 32 to 128 hexadecimal digits; the agent reads the same.',
  ],
  [
    'restore.enabled',
    'boolean',
    '`false` on production, `true` on a shadow',
    NOTHING,
    'Whether anything may be restored here.',
  ],
  [
    'restore.bytesMax',
    'integer',
    code(String(RESTORE_BYTES_DEFAULT)),
    `1 to ${RESTORE_BYTES_MAX}`,
    'Largest file that is kept or restored.',
  ],
  [
    'restore.paths',
    'list of objects',
    '`[]`',
    `at most ${RESTORE_PATHS_MAX} entries`,
    'What may be restored. Empty: nothing. Entries may not overlap, nor reach policy, socket, state or key.',
  ],
  ['restore.paths[].path', 'path', '**required**', NOTHING, 'File or folder on this host.'],
  ['restore.paths[].as', 'path', 'as `path`', NOTHING, 'What fingerprints call it.'],
] as const;

/** The parser is written by hand, as the actuator carries no package; it names its keys itself. */
function checkHostPolicyRows(): void {
  const base = { role: 'shadow', socket: '/a/s', state: '/b', fingerprintKeyFile: '/c' };
  const places: readonly (readonly [string, unknown])[] = [
    ['', { unknown: 1 }],
    ['restore.', { ...base, restore: { unknown: 1 } }],
    ['restore.paths[].', { ...base, restore: { paths: [{ unknown: 1 }] } }],
  ];
  const known = places.flatMap(([prefix, policy]) => {
    const answer = parseHostPolicy(JSON.stringify(policy), { path: '/policy.json' });
    assert.ok('sentence' in answer);
    const names = /known are ([\w, ]+);/.exec(answer.sentence)?.[1]?.split(', ') ?? [];
    return names.map((name) => prefix + name);
  });
  const documented = new Set<string>(hostPolicyRows.map(([key]) => key));
  assert.deepEqual(
    known.filter((key) => key !== 'restore' && !documented.has(key)),
    [],
    'keys of the host policy without a row',
  );
  assert.equal(known.length - 1, documented.size, 'rows of the host policy without a key');
}

const limitWords = Object.entries(defaultLimits)
  .map(([name, limit]) => `${code(name)} ${limit?.deviation}`)
  .join(', ');

/** The whole page. */
export function configurationPage(): string {
  checkHostPolicyRows();
  return [
    '# Configuration',
    '',
    'Made by `node test/repo/write.ts --configuration` from the schemas that check the files.',
    '',
    'Agent, controller and rules files are YAML, the host’s policy is JSON. An unknown key or a wrong value is refused with',
    '`CONFIG_INVALID` (`POLICY_INVALID`), which names the place and the nearest known key. `foreshadow-agent --check-config`,',
    '`foreshadow-controller --check-config` and `foreshadow-actuator --check-policy` check without starting and print the result complete.',
    'The first reads its own file only, the second the rules file as well, the third also the key. None looks at sockets, roots, folders,',
    'ports or the broker, nor the first at the key file: what is wrong with those shows at the start.',
    '',
    'A single value can be set by the variable named in its row, which goes over the file; lists and maps are set in the file only. A wrong',
    'value is blamed on its variable. A variable that begins with `FORESHADOW_AGENT_` or `FORESHADOW_CONTROLLER_` and is in no row is refused',
    'by that program.',
    '',
    '## Agent',
    '',
    '`foreshadow-agent --config FILE`, from `agent/src/config.ts`.',
    '',
    ...section(agentConfigSchema, 'FORESHADOW_AGENT'),
    '',
    '## Controller',
    '',
    '`foreshadow-controller --config FILE`, from `controller/src/config.ts`. `<observable>` is one of [metrics](metrics.md); in a variable in',
    `capitals. Limits go pair over label over default, number by number. Without any: ${limitWords}, velocity 0.05 per minute,`,
    'floors of the catalogue. What has no deviation limit is reported and never judged.',
    '',
    ...section(controllerConfigSchema, 'FORESHADOW_CONTROLLER'),
    '',
    '## Rules',
    '',
    'The file that `policy.file` names, from `controller/src/policy/schema.ts`. Of the rules that do the same, the first that matches holds.',
    'On production a restore becomes an alert, and nothing is ordered while the verdict is inconclusive, whatever the rules say.',
    '',
    ...section(policyRulesSchema, undefined),
    '',
    'Without a file these hold:',
    '',
    '```json',
    JSON.stringify(defaultRules, undefined, 2),
    '```',
    '',
    '## Host policy',
    '',
    '`foreshadow-actuator --policy FILE`, from `agent/src/actuator/host-policy.ts`. What may ever happen on this host: the controller cannot',
    'change it; `--check-policy` checks it. The actuator starts only when root or its own user owns the file and nobody else may write it. Paths are absolute, without',
    '`.` and `..`.',
    '',
    ...table(
      head,
      hostPolicyRows.map((row) => row.map((cell, column) => (column === 0 ? code(cell) : cell))),
    ),
    '',
    '## Other variables',
    '',
    ...table(
      ['variable', 'read by', 'meaning'],
      [
        ['`FORESHADOW_URL`', '`foreshadow`', 'URL of the controller; `--url` goes over it.'],
        ['`NO_COLOR`, `FORCE_COLOR`, `TERM`', '`foreshadow`', 'Whether answers are coloured.'],
        ['`PATH`', 'controller', 'Where `nats-server` is looked for.'],
        ['`FORESHADOW_NATS_SERVER`', 'tests', 'The nats-server of integration tests.'],
      ],
    ),
    '',
  ].join('\n');
}
