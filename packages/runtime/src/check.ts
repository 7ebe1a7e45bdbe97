// In: a JSON Schema of the kind that TypeBox writes, and a value.
// Out: the value with defaults, or every mistake in words.
// Never: coerces. It knows the keywords that our schemas use, and refuses a schema with others, so
// that no rule is silently skipped.
//
// Why not typebox/value: it costs 4 MB of anonymous memory, a fifth of the agent's budget
// (docs/decisions/0003).

import { nearest } from './nearest.ts';

export interface Mistake {
  readonly path: readonly (string | number)[];
  readonly problem: string;
}

type Schema = Readonly<Record<string, unknown>>;

const known = new Set(
  (
    'type properties required additionalProperties patternProperties items anyOf const enum ' +
    'minimum maximum exclusiveMinimum minLength maxLength pattern minItems maxItems maxProperties ' +
    'default description title examples $id unit'
  ).split(' '),
);

/** Cost linear in value and schema. `value` is copied, never changed. */
export function checkValue(
  schema: object,
  value: unknown,
): { readonly value: unknown; readonly mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = [];
  // Every schema is a record of keywords.
  const checked = check(schema as Schema, value, [], mistakes);
  return { value: checked, mistakes };
}

function check(
  schema: Schema,
  given: unknown,
  path: readonly (string | number)[],
  mistakes: Mistake[],
): unknown {
  for (const keyword of Object.keys(schema)) {
    if (!known.has(keyword))
      throw new TypeError(
        `schema keyword ${keyword} at ${path.join('.')} is not one that check.ts knows`,
      );
  }
  const value = given === undefined ? structuredClone(schema['default']) : given;
  const wrong = (problem: string): unknown => {
    mistakes.push({ path, problem });
    return value;
  };
  if (Array.isArray(schema['anyOf']))
    return checkAlternatives(schema['anyOf'] as Schema[], value, path, mistakes);
  if ('const' in schema)
    return value === schema['const']
      ? value
      : wrong(`must be ${JSON.stringify(schema['const'])}, got ${show(value)}`);
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value))
    return wrong(`must be one of ${schema['enum'].map(show).join(', ')}, got ${show(value)}`);
  switch (schema['type']) {
    case 'object':
      return isRecord(value)
        ? checkObject(schema, value, path, mistakes)
        : wrong(`must be a group of keys, got ${show(value)}`);
    case 'array':
      return Array.isArray(value)
        ? checkArray(schema, value, path, mistakes)
        : wrong(`must be a list, got ${show(value)}`);
    case 'string':
      return typeof value === 'string'
        ? checkString(schema, value, wrong)
        : wrong(`must be text, got ${show(value)}`);
    case 'number':
    case 'integer':
      return checkNumber(schema, value, wrong);
    case 'boolean':
      return typeof value === 'boolean'
        ? value
        : wrong(`must be true or false, got ${show(value)}`);
    case 'null':
      return value === null ? value : wrong(`must be null, got ${show(value)}`);
    case undefined:
      return value;
    default:
      throw new TypeError(`schema type ${show(schema['type'])} is not one that check.ts knows`);
  }
}

function checkObject(
  schema: Schema,
  value: Record<string, unknown>,
  path: readonly (string | number)[],
  mistakes: Mistake[],
): Record<string, unknown> {
  if ((schema['additionalProperties'] ?? false) !== false)
    throw new TypeError(`a schema with additionalProperties is not one that check.ts knows`);
  // Given by TypeBox for every object.
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const required = (schema['required'] ?? []) as readonly string[];
  // A schema has either named properties or one pattern of keys with their schema.
  const [keyed] = Object.entries((schema['patternProperties'] ?? {}) as Record<string, Schema>);
  const { maxProperties } = schema as { maxProperties?: number };
  const count = Object.keys(value).length;
  if (maxProperties !== undefined && count > maxProperties)
    mistakes.push({ path, problem: `takes at most ${maxProperties} keys, got ${count}` });
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(properties)) {
    const isGiven = Object.hasOwn(value, key) && value[key] !== undefined;
    if (isGiven || 'default' in child)
      result[key] = check(child, isGiven ? value[key] : undefined, [...path, key], mistakes);
    else if (required.includes(key))
      mistakes.push({ path: [...path, key], problem: 'is required and missing' });
  }
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(properties, key)) continue;
    if (keyed === undefined)
      mistakes.push({ path: [...path, key], problem: unknownKey(key, Object.keys(properties)) });
    else if (key === '__proto__' || !new RegExp(keyed[0], 'u').test(key))
      mistakes.push({ path: [...path, key], problem: `is a key that must look like ${keyed[0]}` });
    else result[key] = check(keyed[1], value[key], [...path, key], mistakes);
  }
  return result;
}

function unknownKey(key: string, names: readonly string[]): string {
  const close = nearest(key, names);
  return close === undefined
    ? `is not a known key; known here: ${names.join(', ')}`
    : `is not a known key; did you mean ${close}?`;
}

function checkArray(
  schema: Schema,
  value: readonly unknown[],
  path: readonly (string | number)[],
  mistakes: Mistake[],
): unknown[] {
  const { minItems, maxItems } = schema as { minItems?: number; maxItems?: number };
  if (minItems !== undefined && value.length < minItems)
    mistakes.push({ path, problem: `needs at least ${minItems} entries, got ${value.length}` });
  if (maxItems !== undefined && value.length > maxItems)
    mistakes.push({ path, problem: `takes at most ${maxItems} entries, got ${value.length}` });
  return value.map((item, index) =>
    check((schema['items'] ?? {}) as Schema, item, [...path, index], mistakes),
  );
}

function checkString(schema: Schema, value: string, wrong: (problem: string) => unknown): unknown {
  const { minLength, maxLength, pattern } = schema as {
    minLength?: number;
    maxLength?: number;
    pattern?: string;
  };
  if (minLength !== undefined && value.length < minLength)
    return wrong(`needs at least ${minLength} characters, got ${show(value)}`);
  if (maxLength !== undefined && value.length > maxLength)
    return wrong(`takes at most ${maxLength} characters, got ${value.length}`);
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value))
    return wrong(`must look like ${pattern}, got ${show(value)}`);
  return value;
}

function checkNumber(schema: Schema, value: unknown, wrong: (problem: string) => unknown): unknown {
  const { minimum, maximum, exclusiveMinimum } = schema as {
    minimum?: number;
    maximum?: number;
    exclusiveMinimum?: number;
  };
  if (typeof value !== 'number' || !Number.isFinite(value))
    return wrong(`must be a number, got ${show(value)}`);
  if (schema['type'] === 'integer' && !Number.isSafeInteger(value))
    return wrong(`must be a whole number, got ${show(value)}`);
  const isInside =
    value >= (minimum ?? -Infinity) &&
    value <= (maximum ?? Infinity) &&
    value > (exclusiveMinimum ?? -Infinity);
  if (isInside) return value;
  if (minimum !== undefined && maximum !== undefined)
    return wrong(`must be ${minimum} to ${maximum}, got ${value}`);
  const rules = [
    minimum === undefined ? [] : `at least ${minimum}`,
    exclusiveMinimum === undefined ? [] : `more than ${exclusiveMinimum}`,
    maximum === undefined ? [] : `at most ${maximum}`,
  ];
  return wrong(`must be ${rules.flat().join(' and ')}, got ${value}`);
}

function checkAlternatives(
  alternatives: readonly Schema[],
  value: unknown,
  path: readonly (string | number)[],
  mistakes: Mistake[],
): unknown {
  let best: Mistake[] | undefined;
  for (const alternative of alternatives) {
    const tried: Mistake[] = [];
    const checked = check(alternative, value, path, tried);
    if (tried.length === 0) return checked;
    if (best === undefined || depthOf(tried) > depthOf(best)) best = tried;
  }
  const constants = alternatives
    .map((alternative) => alternative['const'])
    .filter((constant) => constant !== undefined);
  if (constants.length === alternatives.length)
    mistakes.push({
      path,
      problem: `must be one of ${constants.map(show).join(', ')}, got ${show(value)}`,
    });
  else mistakes.push(...(best ?? []));
  return value;
}

/** The alternative that got furthest is the one that was meant. */
function depthOf(mistakes: readonly Mistake[]): number {
  return Math.max(...mistakes.map((mistake) => mistake.path.length)) - mistakes.length / 100;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value); // JSON has no NaN and no infinity.
  return (JSON.stringify(value) ?? typeof value).slice(0, SHOWN_LENGTH_MAX);
}

const SHOWN_LENGTH_MAX = 80;
